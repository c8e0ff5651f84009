// Settings > Seedance: which token is in use, and to save, check and clear it.

import { ask } from "./routes.js"
import { element } from "./element.js"

const LONGEST = 2048
const ROUTE = "/seedance/token"
const WHERE_TOKENS_ARE = "https://www.runcomfy.com/profile"

/**
 * The panel. It is there at once and fills itself in when the server has answered.
 *
 * @param {import("./language.js").Language} language
 * @returns {HTMLElement}
 */
export function tokenPanel(language) {
  const panel = new TokenPanel(language)
  panel.refresh()
  return panel.element
}

class TokenPanel {
  constructor(language) {
    this.language = language
    this.say = language.say
    // Each line runs as its language does; the page runs from left to right in all of them.
    this.state = element("p", { className: "seedance-token-state", dir: "auto" })
    // Not a form with a user name: a browser is not to take this for a log-in that it should fill in.
    this.field = element("input", {
      type: "password",
      autocomplete: "off",
      spellcheck: false,
      maxLength: LONGEST,
      placeholder: this.say("fieldHint"),
      ariaLabel: this.say("field"),
      dir: "auto",
      onkeydown: ({ key }) => key === "Enter" && this.run(() => this.saveToken()),
    })
    this.check = this.button("check", () => this.checkToken())
    this.clear = this.button("clear", () => this.clearToken())
    const save = this.button("save", () => this.saveToken(), "seedance-main")
    const page = element("a", {
      href: WHERE_TOKENS_ARE,
      target: "_blank",
      rel: "noopener noreferrer",
      dir: "auto",
      textContent: this.say("getToken"),
    })
    // It must be there before its text, or a screen reader does not read the text out.
    this.result = element("p", { className: "seedance-result", role: "status", dir: "auto" })
    const row = (...parts) => element("div", { className: "seedance-row" }, ...parts)
    const parts = [this.state, row(this.field, save), row(this.check, this.clear), page, this.result]
    this.element = element("div", { className: "seedance-settings seedance-token" }, ...parts)
  }

  async refresh() {
    try {
      this.show(await ask("GET", ROUTE))
    } catch {
      this.mark(this.state, "bad", this.say("tokenUnknown"))
    }
  }

  async saveToken() {
    const token = this.field.value
    if (!token.trim()) {
      this.field.focus()
      return ["bad", this.say("empty")]
    }
    // Before the answer: a token is to stand in the page no longer than it must.
    this.field.value = ""
    this.show(await ask("POST", ROUTE, { token }))
    return ["good", this.say("saved")]
  }

  async checkToken() {
    this.mark(this.result, "", this.say("checking"))
    const { ok, message, texts } = await ask("POST", `${ROUTE}/check`)
    const mood = (this.state.dataset.mood = ok ? "good" : "bad")
    return [mood, this.language.lines(texts && [texts], message)]
  }

  async clearToken() {
    this.show(await ask("DELETE", ROUTE))
    // The button that had the focus may be off now.
    this.field.focus()
    return ["good", this.say("cleared")]
  }

  /** What the server knows. */
  show({ source, saved, variable, problem, texts }) {
    this.check.disabled = source === null
    this.clear.disabled = !saved
    if (problem) this.mark(this.state, "bad", this.language.lines(texts && [texts], problem))
    else if (source === null) this.mark(this.state, "", this.say("tokenNone"))
    else if (!saved) this.mark(this.state, "good", this.say("tokenFromVariable", { name: source }))
    else if (variable) this.mark(this.state, "good", this.say("tokenSavedFirst", { name: variable }))
    else this.mark(this.state, "good", this.say("tokenSaved"))
  }

  button(key, action, className = "") {
    return element("button", { type: "button", className, textContent: this.say(key), onclick: () => this.run(action) })
  }

  /** Does one thing at a time and says how it went. */
  async run(action) {
    if (this.element.ariaBusy === "true") return
    this.element.ariaBusy = "true"
    this.mark(this.result, "", "")
    try {
      this.mark(this.result, ...(await action()))
    } catch (error) {
      this.mark(this.result, "bad", this.language.reason(error))
    } finally {
      this.element.ariaBusy = "false"
    }
  }

  mark(line, mood, text) {
    line.dataset.mood = mood
    line.textContent = text
  }
}
