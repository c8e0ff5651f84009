// Settings > Seedance: which token is in use, and to save, check and clear it.

import { ask, Refused } from "./account.js"
import { element } from "./element.js"

const LONGEST = 2048
const ROUTE = "/seedance/token"
const WHERE_TOKENS_ARE = "https://www.runcomfy.com/profile"

/**
 * The panel. It is there at once and fills itself in when the server has answered.
 *
 * @param {(key: string, values?: object) => string} say
 * @returns {HTMLElement}
 */
export function tokenPanel(say) {
  const panel = element("div", { className: "seedance-settings seedance-token" })
  new TokenPanel(panel, say).refresh()
  return panel
}

class TokenPanel {
  constructor(panel, say) {
    this.say = say
    this.panel = panel
    this.busy = false
    // Each line runs as its language does; the page runs from left to right in all of them.
    this.state = element("p", { className: "seedance-token-state", dir: "auto" })
    // Not a form with a user name: a browser is not to take this for a log-in that it should fill in.
    this.field = element("input", {
      type: "password",
      autocomplete: "off",
      spellcheck: false,
      maxLength: LONGEST,
      placeholder: say("fieldHint"),
      ariaLabel: say("field"),
      dir: "auto",
    })
    this.save = this.button("save", () => this.saveToken(), "seedance-main")
    this.check = this.button("check", () => this.checkToken())
    this.clear = this.button("clear", () => this.clearToken())
    // It must be there before its text, or a screen reader does not read the text out.
    this.result = element("p", { className: "seedance-result", role: "status", dir: "auto" })
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.run(() => this.saveToken())
    })
    const entry = element("div", { className: "seedance-row" }, this.field, this.save)
    const others = element("div", { className: "seedance-row" }, this.check, this.clear)
    const page = element("a", {
      href: WHERE_TOKENS_ARE,
      target: "_blank",
      rel: "noopener noreferrer",
      dir: "auto",
      textContent: say("getToken"),
    })
    panel.append(this.state, entry, others, page, this.result)
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
    const { ok, message } = await ask("POST", `${ROUTE}/check`)
    this.state.dataset.mood = ok ? "good" : "bad"
    return [ok ? "good" : "bad", message]
  }

  async clearToken() {
    this.show(await ask("DELETE", ROUTE))
    // The button that had the focus may be off now.
    this.field.focus()
    return ["good", this.say("cleared")]
  }

  /** What the server knows: `{source, saved, variable, problem}`. */
  show({ source, saved, variable, problem }) {
    this.check.disabled = source === null
    this.clear.disabled = !saved
    if (problem) this.mark(this.state, "bad", problem)
    else if (source === null) this.mark(this.state, "", this.say("tokenNone"))
    else if (!saved) this.mark(this.state, "good", this.say("tokenFromVariable", { name: source }))
    else if (variable) this.mark(this.state, "good", this.say("tokenSavedFirst", { name: variable }))
    else this.mark(this.state, "good", this.say("tokenSaved"))
  }

  button(key, action, className = "") {
    const button = element("button", { type: "button", className, textContent: this.say(key) })
    button.addEventListener("click", () => this.run(action))
    return button
  }

  /** Does one thing at a time and says how it went. */
  async run(action) {
    if (this.busy) return
    this.busy = true
    this.panel.ariaBusy = "true"
    this.mark(this.result, "", "")
    try {
      this.mark(this.result, ...(await action()))
    } catch (error) {
      this.mark(this.result, "bad", error instanceof Refused ? error.message : this.say("noAnswer"))
    } finally {
      this.busy = false
      this.panel.ariaBusy = "false"
    }
  }

  mark(line, mood, text) {
    line.dataset.mood = mood
    line.textContent = text
  }
}
