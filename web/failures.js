// Says in full why a video failed, where ComfyUI itself says little of it, or hides it once a dialog is closed.

import { app } from "../../scripts/app.js"
import { texts } from "./texts.js"

const VIDEO = "SeedanceTextToVideo"
const NODES = [VIDEO, "SeedanceOptions", "LoadSeedanceVideo"]
const LIFE = 20_000 // milliseconds; a message is three sentences
const MOST_REASONS = 3

/**
 * Shows what the server reports of this pack's nodes: failures, and videos that `on_failure: skip` leaves out.
 *
 * @param {EventTarget} api ComfyUI's events
 */
export function showFailures(api) {
  const message = new Message()
  let run = null
  let reasons = []

  api.addEventListener("execution_error", async ({ detail }) => {
    if (!NODES.includes(detail.node_type)) return
    const { say, node } = await texts()
    message.show("error", say("failed", { node: node(detail.node_type) }), detail.exception_message.trim())
  })

  api.addEventListener("seedance.left_out", async ({ detail }) => {
    if (detail.prompt_id !== run) reasons = []
    run = detail.prompt_id
    // What the user has to look after comes first: only so many are shown.
    if (detail.urgent) reasons.unshift(detail.reason)
    else reasons.push(detail.reason)
    const told = [...new Set(reasons)]
    const { say, node } = await texts()
    const summary = say("leftOut", { node: node(VIDEO), count: reasons.length })
    message.show("warn", summary, told.slice(0, MOST_REASONS).join("\n") + (told.length > MOST_REASONS ? "\n…" : ""))
  })
}

/** One at a time: a new one takes the place of the one before. */
class Message {
  shown

  show(severity, summary, detail) {
    const { toast } = app.extensionManager
    if (toast.dismiss) {
      // Web UIs from 1.57 on: a message has an id, and one with the same id takes its place.
      const say = severity === "error" ? toast.error : toast.warning
      this.shown = say(summary, { id: this.shown, description: detail, duration: LIFE })
      return
    }
    if (this.shown) toast.remove(this.shown)
    this.shown = { severity, summary, detail, life: LIFE, styleClass: "seedance-toast" }
    toast.add(this.shown)
  }
}
