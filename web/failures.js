// Says in full why a video failed, where ComfyUI itself says little of it, or hides it once a dialog is closed.

import { app } from "../../scripts/app.js"
import { element } from "./element.js"

const LIFE = 20_000 // milliseconds; a message is three sentences
const MOST_REASONS = 3

/** One message in a corner of the page: a new one takes the place of the one before. */
export class Message {
  #shown

  /**
   * @param {"error" | "warn"} severity
   * @param {string} summary
   * @param {string} detail
   * @param {{label: string, onClick: () => void}[]} actions buttons; the first one is the most helpful
   */
  show(severity, summary, detail, actions = []) {
    const { toast } = app.extensionManager
    if (toast.dismiss) {
      // Web UIs from 1.57 on: a message has an id, and one with the same id takes its place.
      const say = severity === "error" ? toast.error : toast.warning
      const [action] = actions
      this.#shown = say(summary, { id: this.#shown, description: detail, duration: LIFE, action })
      return
    }
    if (this.#shown) toast.remove(this.#shown)
    this.#shown = { severity, summary, detail, life: LIFE, styleClass: "seedance-toast" }
    toast.add(this.#shown)
    if (actions.length) requestAnimationFrame(() => addButtons(actions))
  }
}

/** Older UIs have no buttons in a message. */
function addButtons(actions) {
  const text = [...document.querySelectorAll(".seedance-toast .p-toast-message-text")].at(-1)
  text?.append(element("div", { className: "seedance-row" }, ...buttonsFor(actions)))
}

/** @param {{label: string, onClick: () => void}[]} actions */
export function buttonsFor(actions) {
  return actions.map(({ label, onClick }) => element("button", { type: "button", textContent: label, onclick: onClick }))
}

/**
 * Tells of videos that `on_failure: skip` leaves out, which no error of ComfyUI's does.
 *
 * @param {EventTarget} api ComfyUI's events
 * @param {Message} message
 * @param {import("./language.js").Language} language
 */
export function showLeftOut(api, message, language) {
  let run = null
  let reasons = []
  api.addEventListener("seedance.left_out", ({ detail: { prompt_id: prompt, lines, urgent } }) => {
    if (prompt !== run) reasons = []
    run = prompt
    // What the user has to look after comes first: only so many are shown.
    reasons[urgent ? "unshift" : "push"](language.lines(lines, ""))
    const different = [...new Set(reasons)]
    const more = different.length > MOST_REASONS ? "\n…" : ""
    const summary = language.say("leftOut", { node: language.node("SeedanceTextToVideo"), count: reasons.length })
    message.show("warn", summary, different.slice(0, MOST_REASONS).join("\n") + more)
  })
}
