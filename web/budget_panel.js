// Settings > Seedance: how much may be spent in any 24 hours, and how much has been.

import { ask } from "./routes.js"
import { element } from "./element.js"
import { dollars } from "./language.js"

const ROUTE = "/seedance/budget"

/**
 * The panel. It is there at once and fills itself in when the server has answered.
 *
 * @param {import("./language.js").Language} language
 * @returns {HTMLElement}
 */
export function budgetPanel({ say, reason, locale }) {
  const state = element("p", { dir: "auto" })
  const result = element("p", { className: "seedance-result", role: "status", dir: "auto" })
  const label = say("budgetField")
  const change = () => attempt(() => ask("POST", ROUTE, { limit: field.valueAsNumber }), say("saved"))
  const onkeydown = ({ key }) => key === "Enter" && change()
  const field = element("input", { type: "number", min: 0, step: "any", ariaLabel: label, title: label, disabled: true, onkeydown })
  const save = element("button", {
    type: "button",
    className: "seedance-main",
    textContent: say("save"),
    ariaLabel: `${say("save")}: ${label}`,
    disabled: true,
    onclick: change,
  })

  function show({ limit, spent, by_environment: isFixed, frees_at: frees }) {
    field.value = limit
    field.disabled = save.disabled = isFixed
    const values = { limit: dollars(limit), spent: dollars(spent) }
    const parts = [say(limit ? "budgetSpent" : "budgetOff", values)]
    const time = new Date(frees).toLocaleString(locale, { dateStyle: "short", timeStyle: "short" })
    if (frees && limit && spent > limit / 2) parts.push(say("budgetFrees", { time }))
    if (isFixed) parts.push(say("budgetFixed", { name: "SEEDANCE_MAX_USD_PER_DAY" }))
    state.textContent = parts.join(" ")
  }

  async function attempt(action, done) {
    result.dataset.mood = result.textContent = ""
    try {
      show(await action())
      result.textContent = done
    } catch (error) {
      result.dataset.mood = "bad"
      result.textContent = reason(error)
    }
  }

  attempt(() => ask("GET", ROUTE), "")
  return element("div", { className: "seedance-settings seedance-budget" }, state, element("div", { className: "seedance-row" }, field, save), result)
}
