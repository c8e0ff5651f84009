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
  "reused": "Loaded again for free",
  "frames": "{frames} frames {width}x{height} at {fps} fps",
  "stoppedNotSubmitted": "Stopped. Nothing was submitted or charged.",
  "stoppedCancelled": "Stopped. The job is cancelled. Nothing was charged.",
  "stoppedGoesOn": "Stopped. The job goes on at RunComfy and will be charged; the next run of the same graph collects it without a new charge.",
  "stoppedUncertain": "Stopped. The job may have been charged; the next run of the same graph finds it or says where to look.",
  "stoppedFinished": "Stopped. The job is finished; the next run of the same graph loads it without a new charge."
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
    return !this.packs[this.#locale] || this.#locale === "en"
  }

  get #own() {
    return this.packs[this.#locale]
  }

  get #locale() {
    return app.extensionManager.setting.get("Comfy.Locale")
  }
}
