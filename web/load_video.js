// Load Seedance Video before it runs: its player shows the file that is chosen, and of it the frames that are.

import { api } from "../../scripts/api.js"
import { ask } from "./routes.js"
import { addressOf } from "./player.js"

export const NODE = "LoadSeedanceVideo"
const WATCHED = ["video", "source", "skip_first_frames", "frame_load_cap", "select_every_nth"]
const NONE = "(none)" // stands in the list while there is no video
const ANNOTATED = /^(?:(.*)\/)?([^/]+?)(?: \[(input|output|temp)\])?$/

export class Loader {
  #asked = "" // the name of the file whose facts are wanted

  /**
   * @param {object} node
   * @param {import("./node_view.js").NodeView} view
   * @param {(key: string, values: object) => string} say
   */
  constructor(node, view, say) {
    this.node = node
    this.view = view
    this.say = say
    view.chosen = () => this.chosen()
    for (const name of WATCHED) {
      const widget = this.widget(name)
      const changed = widget.callback
      widget.callback = (...args) => {
        changed?.apply(widget, args)
        this.update()
      }
    }
  }

  /** Offers these videos from now on; a node that could choose none chooses the newest. */
  offer(videos) {
    const widget = this.widget("video")
    widget.options.values = videos
    if (widget.value !== NONE) return
    widget.value = videos[0]
    this.update()
  }

  widget(name) {
    return this.node.widgets.find((widget) => widget.name === name)
  }

  /** The file that is chosen, unless `source` stands for another. */
  chosen() {
    const value = String(this.widget("video").value)
    if (String(this.widget("source").value).trim() || value === NONE) return null
    const file = fileOf(value)
    return file && [file]
  }

  /** Shows what the widgets say now. */
  async update() {
    this.correct()
    this.view.play(this.chosen() ?? this.view.files)
    const file = this.view.players[0]?.file
    const name = file ? nameOf(file) : ""
    if (name !== this.#asked) {
      this.#asked = name
      this.facts = null
      this.view.facts.textContent = ""
      const facts = name && (await ask("GET", `/seedance/video?${new URLSearchParams({ name })}`).catch(() => null))
      if (name !== this.#asked) return
      this.facts = facts
    }
    this.view.facts.textContent = this.facts ? this.say("facts", this.facts) : ""
    if (!this.facts) return
    const [skip, cap, every] = WATCHED.slice(2).map((name) => Number(this.widget(name).value))
    for (const player of this.view.players) player.follow({ ...this.facts, skip, cap, every })
  }

  /** The picker of Nodes 2.0 gives a generated video's name without its folder. */
  correct() {
    const widget = this.widget("video")
    const { values } = widget.options
    if (!Array.isArray(values) || values.includes(widget.value)) return
    const whole = values.find((value) => value.endsWith(`/${widget.value}`))
    if (whole) widget.value = whole
  }
}

/** The videos that there are now, newest first. */
export async function choices() {
  const response = await api.fetchApi(`/object_info/${NODE}`)
  return (await response.json())[NODE].input.required.video[1].options
}

/** The picker of Nodes 2.0 asks for pictures of videos by their whole names, which the server has not got without a folder. */
export function mendThumbnails() {
  const mend = ({ target }) => {
    if (!(target instanceof HTMLVideoElement) || !target.src) return
    const asked = new URL(target.src).searchParams
    const file = asked.has("subfolder") ? null : fileOf(asked.get("filename") ?? "")
    if (file?.subfolder) target.src = addressOf(file)
  }
  document.addEventListener("error", mend, true) // which does not bubble
}

function fileOf(name) {
  const [, subfolder = "", filename, type = "input"] = name.match(ANNOTATED) ?? []
  return filename ? { filename, subfolder, type } : null
}

/** A file as ComfyUI's lists name it. */
function nameOf({ filename, subfolder, type }) {
  return `${subfolder ? `${subfolder}/` : ""}${filename} [${type}]`
}
