// The sidebar's tab: all paid jobs, newest first, and what they came to.

import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { ask } from "./routes.js"
import { element } from "./element.js"
import { JobCard } from "./job_card.js"
import { dollars } from "./language.js"

const EVERY = 2000 // milliseconds between two looks at the jobs, while the tab is open
const TOTALS_EVERY = 60000 // between two looks at the totals, which take longer, while nothing that is listed changes
const GROUPS = ["running", "made", "unclear", "failed"]
const RIGHT_TO_LEFT = ["ar", "fa", "he"]

/** @param {import("./language.js").Language} language */
export function addJobsTab(language) {
  let panel = null
  app.extensionManager.registerSidebarTab({
    id: "seedance-jobs",
    icon: "pi pi-video",
    title: "Seedance",
    tooltip: "Seedance",
    type: "custom",
    render: (container) => {
      panel?.close()
      panel = new JobsPanel(container, language)
    },
    destroy: () => panel?.close(),
  })
}

export class JobsPanel {
  #cards = new Map()
  #next = null // the id before which the next page begins
  #listed = "" // what was looked at last
  #totalled = 0 // when the totals were
  #unasked = "" // why the jobs were not listed last
  #asked = 0 // counts what was asked for anew, so that late answers are known

  constructor(container, language) {
    this.language = language
    const { say, locale } = language
    this.totals = element("p", { className: "seedance-facts", dir: "auto" })
    this.status = element("p", { role: "status", dir: "auto" })
    this.search = element("input", { type: "search", maxLength: 200, placeholder: say("jobSearch"), ariaLabel: say("jobSearch") })
    this.group = element("select", { ariaLabel: say("jobFilter") })
    for (const group of ["", ...GROUPS]) this.group.append(new Option(say(`jobs_${group || "all"}`), group))
    const csv = element("a", { href: api.apiURL("/seedance/jobs.csv"), download: "", textContent: say("jobCsv") })
    this.list = element("ul", { ariaLabel: "Seedance" })
    this.end = element("div", { className: "seedance-end" })
    const tools = element("div", { className: "seedance-row" }, this.search, this.group, csv)
    const dir = RIGHT_TO_LEFT.includes(locale) ? "rtl" : "ltr"
    this.element = element("div", { className: "seedance-jobs", dir }, tools, this.totals, this.status, this.list, this.end)
    container.replaceChildren(this.element)
    this.search.addEventListener("input", () => this.restart())
    this.group.addEventListener("change", () => this.restart())
    this.seen = new IntersectionObserver((entries) => entries.forEach((entry) => this.#saw(entry)))
    this.timer = setInterval(() => document.hidden || this.#refresh(), EVERY)
    this.restart()
  }

  get dialog() {
    return app.extensionManager.dialog
  }

  close() {
    clearInterval(this.timer)
    this.seen.disconnect()
    this.#asked = NaN // which no answer is to
  }

  /** Begins with the newest again. */
  restart() {
    this.#cards.clear()
    this.#next = null
    this.#asked += 1
    return this.#refresh()
  }

  /** Does something about a job that may take its time, and says how it went. */
  async attempt(meanwhile, action) {
    this.say(meanwhile)
    try {
      await action()
    } catch (error) {
      this.say(this.language.reason(error))
      return false
    }
    await this.#refresh()
    if (this.status.textContent === meanwhile) this.say("")
    return true
  }

  say(text) {
    this.status.textContent = text
  }

  /** A video that is out of sight is not loaded: there may be thousands. */
  loadWhenSeen(video) {
    this.seen.observe(video)
  }

  #saw({ target, isIntersecting }) {
    if (!target.isConnected) this.seen.unobserve(target)
    else if (target === this.list.lastElementChild) isIntersecting && this.#more()
    else if (!target.dataset.src) return
    else if (isIntersecting) target.src = target.dataset.src
    else target.removeAttribute("src")
  }

  /** What is new comes to the top, and what is in sight is shown as it is now. */
  async #refresh() {
    const newest = await this.#ask()
    if (!newest) return
    if (!newest.jobs.some(({ id }) => this.#cards.has(id))) {
      this.#cards.clear()
      this.#next = newest.next
      this.list.replaceChildren()
    }
    this.#show(newest)
    const inSight = this.#inSight()
    const seen = inSight.some((id) => id < newest.next) ? await this.#page(Math.max(...inSight) + 1) : newest
    if (!seen) return
    this.end.textContent = this.#cards.size ? "" : this.language.say("jobsNone")
    const listed = JSON.stringify([newest, seen])
    if (listed === this.#listed && Date.now() < this.#totalled + TOTALS_EVERY) return
    const totals = await ask("GET", "/seedance/jobs/totals").catch(() => null)
    if (!totals) return
    this.#listed = listed
    this.#totalled = Date.now()
    const [today, month, all] = [totals.today, totals.month, totals.all].map(({ cost }) => dollars(cost))
    this.totals.textContent = this.language.say("jobTotals", { today, month, all })
  }

  /** The ids of the jobs that are not scrolled out of sight. */
  #inSight() {
    const edges = ([, { element }]) => element.getBoundingClientRect()
    const found = [...this.#cards].filter((card) => edges(card).bottom > 0 && edges(card).top < innerHeight)
    return found.map(([id]) => id)
  }

  async #more() {
    const before = this.#next
    if (before === null) return
    this.#next = null // not twice
    const found = await this.#page(before)
    if (found) this.#next = found.next
  }

  /** Brings and shows the jobs before an id. */
  async #page(before) {
    const found = await this.#ask(before)
    if (found) this.#show(found, before)
    return found
  }

  /** Shows a page in the place of what was shown from its beginning to its end. */
  #show({ jobs, next }, before = Infinity) {
    const listed = new Set(jobs.map(({ id }) => id))
    for (const [id, { element }] of this.#cards) {
      if (id >= before || id < next || listed.has(id)) continue
      element.remove()
      this.#cards.delete(id)
    }
    for (const job of jobs) {
      const card = this.#cards.get(job.id) ?? new JobCard(this.language, this)
      this.#cards.set(job.id, card)
      card.show(job)
    }
    const inOrder = [...this.#cards].sort(([a], [b]) => b - a).map(([, card]) => card.element)
    inOrder.forEach((element, place) => this.list.children[place] === element || this.list.insertBefore(element, this.list.children[place] ?? null))
    if (this.list.lastElementChild) this.seen.observe(this.list.lastElementChild)
  }

  /** A page of the jobs that are wanted; nothing where the answer is late or there is none. */
  async #ask(before = "") {
    const asked = this.#asked
    const query = new URLSearchParams({ before, state: this.group.value, q: this.search.value.trim() })
    const found = await ask("GET", `/seedance/jobs?${query}`).catch((error) => this.say((this.#unasked = this.language.reason(error))))
    if (found && this.status.textContent === this.#unasked) this.say("")
    return asked === this.#asked ? found : null
  }
}
