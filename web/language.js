// What users read, in the language of ComfyUI's UI: the texts of locales/, which ComfyUI hands out for all packs.

import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { Refused } from "./routes.js"

/**
 * A sentence as the server sends it: where it is in `locales/` and what stands in its places, or words of somebody else.
 *
 * @typedef {string | number | {key: string, values: Record<string, Text>}} Text
 */

export class Language {
  /** What all packs ship in `locales/`, by language. */
  packs = {}

  async load() {
    const response = await api.fetchApi("/i18n")
    this.packs = await response.json()
  }

  /** The language's code. */
  get locale() {
    return app.extensionManager.setting.get("Comfy.Locale")
  }

  /** The text with this key, its `{places}` filled in; in English where the language lacks it. */
  say = (key, values = {}) => {
    const text = this.#find(key.split("."), "seedance") ?? key
    return text.replace(/\{(\w+)\}/g, (place, name) => this.#word(values[name] ?? place))
  }

  /**
   * What the server says.
   *
   * @param {Text[][] | undefined} lines
   * @param {string} english the same, for when there are no texts
   */
  lines = (lines, english) =>
    lines && this.packs.en ? lines.map((line) => line.map(this.#word).join(" ")).join("\n") : english

  /** Why the server has not done what it was asked for. */
  reason = (error) =>
    error instanceof Refused ? this.lines(error.texts && [error.texts], error.message) : this.say("noAnswer")

  /** The name of a kind of node. */
  node = (type) => this.#find([type, "display_name"], "nodeDefs") ?? type

  #word = (text) => (typeof text === "object" ? this.say(text.key, text.values) : String(text))

  #find(path, part) {
    const found = [this.packs[this.locale], this.packs.en].map((pack) =>
      path.reduce((folder, name) => folder?.[name], pack?.[part])
    )
    return found.find((text) => typeof text === "string")
  }
}

/** An amount of US dollars, in cents where they tell it. */
export function dollars(amount) {
  return `$${amount.toFixed(amount === 0 || amount >= 0.01 ? 2 : 4)}`
}
