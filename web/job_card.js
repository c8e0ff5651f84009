// One job in the jobs panel: its video, what was asked for, what became of it, and what may be done about it.

import { ask } from "./routes.js"
import { element } from "./element.js"
import { addLoader, addRequest } from "./graph_nodes.js"
import { addressOf } from "./player.js"
import { dollars } from "./language.js"

const PAID = ["accepted", "succeeded", "saved", "expired", "surplus"] // and so worth fetching, if it is not on disk
const FREE = ["refused", "cancelled"]

export class JobCard {
  #shown = ""

  /**
   * @param {import("./language.js").Language} language
   * @param {import("./jobs_panel.js").JobsPanel} panel
   */
  constructor(language, panel) {
    this.language = language
    this.panel = panel
    this.element = element("li", { className: "seedance-job" })
  }

  /** Shows a job as `GET /seedance/jobs` lists it. What is as it was stays, with the focus in it. */
  show(job) {
    const shown = JSON.stringify(job)
    if (this.#shown === shown) return
    this.#shown = shown
    const { say, locale } = this.language
    const { text = say("jobUnreadable"), resolution, ratio, duration, seed } = job.request ?? {}
    const when = new Date(job.created * 1000).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" })
    const isGone = job.state === "saved" && !job.files.length
    const state = say(`job_${isGone ? "succeeded" : job.state}`)
    const options = job.request && [resolution, ratio, `${duration} s`, `seed ${seed}`].join(", ")
    const line = (className, ...parts) =>
      element("p", { className, dir: "auto", textContent: parts.filter(Boolean).join(" · ") })
    this.element.replaceChildren(
      ...job.files.map((filename) => this.#poster({ filename, subfolder: "seedance", type: "output" }, text)),
      element("p", { className: "seedance-job-text", dir: "auto", textContent: text, title: text }),
      line("seedance-facts", options),
      line("seedance-job-state", state, FREE.includes(job.state) ? "" : this.#cost(job), when),
      line("seedance-facts", job.reason),
      element("div", { className: "seedance-row" }, ...this.#buttons(job, text))
    )
    this.element.dataset.state = job.state
  }

  #cost({ cost, estimate, price }) {
    if (cost !== null) return dollars(cost)
    return estimate ? this.language.say("aboutPrice", { usd: dollars(estimate) }) : price
  }

  /** Plays while it is pointed at or has the focus; large on a click. */
  #poster(file, text) {
    const video = element("video", { muted: true, loop: true, playsInline: true, preload: "metadata" })
    video.dataset.src = addressOf(file)
    const poster = element("button", { type: "button", className: "seedance-poster", ariaLabel: `${this.language.say("openVideo")}: ${text}` }, video)
    const play = () => video.play().catch(() => null) // it was told to pause meanwhile
    for (const event of ["pointerenter", "focus"]) poster.addEventListener(event, play)
    for (const event of ["pointerleave", "blur"]) poster.addEventListener(event, () => video.pause())
    poster.addEventListener("click", () => enlarge(addressOf(file)))
    video.addEventListener("error", () => video.hasAttribute("src") && poster.remove())
    this.panel.loadWhenSeen(video)
    return poster
  }

  #buttons(job, text) {
    const { say } = this.language
    const { panel } = this
    const id = job.request_id
    const isUnclear = job.state === "unknown"
    const canFetch = PAID.includes(job.state) && !job.files.length
    const offers = [
      [job.files.length, "jobLoad", () => addLoader(id)],
      [canFetch, "jobFetch", () => this.#do("jobFetching", "fetch", { request_id: id })],
      [job.request, "jobUseAgain", () => addRequest(job.request)],
      [id, "jobCopyId", () => navigator.clipboard?.writeText(id).then(() => panel.say(say("jobCopied", { id })))],
      [isUnclear, "jobLink", () => this.#link(job)],
      [isUnclear && job.request, "jobSubmitAgain", () => this.#submitAgain(job)],
    ]
    return offers
      .filter(([offered]) => offered)
      .map(([, key, onclick]) => element("button", { type: "button", textContent: say(key), ariaLabel: `${say(key)}: ${text}`, onclick }))
  }

  async #link(job) {
    const { say } = this.language
    const found = await this.panel.dialog.prompt({ title: say("jobLink"), message: say("jobLinkHow"), defaultValue: "" })
    if (found?.trim()) await this.#do("checking", "link", { id: job.id, request_id: found.trim() })
  }

  async #submitAgain(job) {
    const { say } = this.language
    const isSure = await this.panel.dialog.confirm({ title: say("jobSubmitAgain"), message: say("jobSubmitAgainHow") })
    if (isSure && (await this.#do("checking", "submit_again", { id: job.id }))) addRequest(job.request)
  }

  #do(key, route, body) {
    return this.panel.attempt(this.language.say(key), () => ask("POST", `/seedance/jobs/${route}`, body))
  }
}

function enlarge(src) {
  const video = element("video", { src, controls: true, autoplay: true, loop: true })
  const dialog = element("dialog", { className: "seedance-large", onclick: () => dialog.close(), onclose: () => dialog.remove() }, video)
  video.addEventListener("click", (event) => event.stopPropagation())
  // ComfyUI takes Escape for itself, and other keys for shortcuts.
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation()
    if (event.key === "Escape") dialog.close()
  })
  document.body.append(dialog)
  dialog.showModal()
}
