// The panel's and the messages' texts, in the language of ComfyUI's UI.

import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"

// The same as locales/en/main.json, for when that cannot be had.
const ENGLISH = {
  "field": "RunComfy API token",
  "fieldHint": "Paste the token from your RunComfy profile",
  "save": "Save",
  "check": "Check",
  "clear": "Remove token",
  "tokenSaved": "In use: the saved token",
  "tokenSavedFirst": "In use: the saved token. The environment variable {name} is set too; the saved token is used instead of it.",
  "tokenFromVariable": "In use: the environment variable {name}",
  "tokenNone": "No token. Live runs need one; rehearsal does not.",
  "tokenUnknown": "Could not ask ComfyUI which token is in use.",
  "empty": "Paste a token first.",
  "saved": "Saved.",
  "cleared": "Removed.",
  "checking": "Asking RunComfy…",
  "noAnswer": "ComfyUI did not answer. Is it still running?",
  "failed": "{node} could not finish",
  "leftOut": "{node}, videos left out: {count}",
  "getToken": "Get a token from your RunComfy profile",
  "openSettings": "Open Settings",
  "openHelp": "Open help",
  "openVideo": "Open video",
  "saveVideo": "Save video",
  "copyPath": "Copy path of video",
  "mute": "Mute video",
  "unmute": "Unmute video",
  "hideVideo": "Hide video",
  "showVideo": "Show video",
  "facts": "{frames} frames at {fps} fps, {width}x{height}",
  "submitting": "Submitting",
  "queued": "Queued, {elapsed} s",
  "queuedAt": "Queued, number {position} in line, {elapsed} s",
  "generating": "Generating, {elapsed} s of about {expected} s",
  "generatingLong": "Generating, {elapsed} s, usually about {expected} s",
  "downloading": "Downloading {received} of {total} MB",
  "downloadingSome": "Downloading {received} MB",
  "decoding": "Decoding {done} of {total} frames",
  "done": "Done in {elapsed} s",
  "doneAtOnce": "Done",
  "reused": "Loaded again for free",
  "frames": "{frames} frames {width}x{height} at {fps} fps",
  "stoppedNotSubmitted": "Stopped. Nothing was submitted or charged.",
  "stoppedCancelled": "Stopped. The job is cancelled. Nothing was charged.",
  "stoppedGoesOn": "Stopped. The job goes on at RunComfy and will be charged; the next run of the same graph collects it without a new charge.",
  "stoppedUncertain": "Stopped. The job may have been charged; the next run of the same graph finds it or says where to look.",
  "stoppedFinished": "Stopped. The job is finished; the next run of the same graph loads it without a new charge.",
  "budgetField": "Limit in US dollars in any 24 hours",
  "budgetSpent": "{spent} of {limit} spent in the last 24 hours.",
  "budgetOff": "No limit. {spent} spent in the last 24 hours.",
  "budgetFrees": "More may be spent from {time} on.",
  "budgetFixed": "Set by the environment variable {name}.",
  "aboutPrice": "About {usd}",
  "fromPrice": "From {usd}",
  "aboutEach": "About {usd} per video",
  "fromEach": "From {usd} per video",
  "videosOne": "1 video of {duration} s, {resolution}",
  "videosMany": "{count} videos of {duration} s, {resolution}",
  "videosToBuy": "{toBuy} of {count} videos of {duration} s, {resolution}",
  "freeRehearsal": "Free: rehearsal",
  "freeMade": "Free: already made",
  "freeRunning": "Free: is being made",
  "jobSearch": "Search text, options or id",
  "jobFilter": "Which jobs are listed",
  "jobs_all": "All jobs",
  "jobs_running": "Under way",
  "jobs_made": "Made",
  "jobs_unclear": "Unclear",
  "jobs_failed": "Not made",
  "jobCsv": "Export as CSV",
  "jobTotals": "Today {today}, 30 days {month}, all {all}",
  "jobsNone": "No jobs. Rehearsals are not listed.",
  "jobUnreadable": "(text unknown)",
  "job_intended": "Being submitted",
  "job_refused": "Not accepted, nothing was charged",
  "job_unknown": "Unclear whether RunComfy took it; it may be charged",
  "job_accepted": "Being made",
  "job_failed": "Failed",
  "job_cancelled": "Cancelled, nothing was charged",
  "job_succeeded": "Paid for, not on disk",
  "job_saved": "On disk",
  "job_expired": "No longer at RunComfy",
  "job_surplus": "A second job of the same request",
  "jobLoad": "Load",
  "jobFetch": "Fetch",
  "jobFetching": "Fetching the video…",
  "jobUseAgain": "Use again",
  "jobCopyId": "Copy id",
  "jobCopied": "Copied: {id}",
  "jobLink": "Link id",
  "jobLinkHow": "Copy the request id of this job from RunComfy's Generations page. The next run of the same text and options then brings its video without a new charge.",
  "jobSubmitAgain": "Submit again",
  "jobSubmitAgainHow": "RunComfy may have taken this job and charged it: look at its Generations page first. Two nodes are added, and their next run buys the video, perhaps a second time."
}

/** The pack's texts, in the language that the UI is in now; English until they are loaded. */
export class Language {
  /** What all packs ship in `locales/`, by language. */
  packs = {}

  async load() {
    const response = await api.fetchApi("/i18n")
    this.packs = await response.json()
  }

  /** A text with its `{placeholders}` filled in. */
  say = (key, values = {}) => {
    const text = this.#own?.seedance?.[key] ?? ENGLISH[key]
    return text.replace(/\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder)
  }

  /** The name of a kind of node. */
  node = (type) => {
    const name = (texts) => texts?.nodeDefs?.[type]?.display_name
    return name(this.#own) ?? name(this.packs.en) ?? type
  }

  get isEnglish() {
    return !this.packs[this.locale] || this.locale === "en"
  }

  get #own() {
    return this.packs[this.locale]
  }

  /** The language's code. */
  get locale() {
    return app.extensionManager.setting.get("Comfy.Locale")
  }
}
