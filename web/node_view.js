// What a node says and shows: what a run costs, the line, buttons below it, and the players. One widget, always the node's last.

import { app } from "../../scripts/app.js"
import { element } from "./element.js"
import { buttonsFor } from "./failures.js"
import { Player } from "./player.js"
import { videoActions } from "./video_actions.js"

const WIDGET = "seedance-view"
const MARGIN = 10 // pixels that the classic canvas leaves around a widget's element

/** The view on a node of this pack, or on a closed subgraph around one. */
export class NodeView {
  /** @type {Player[]} */
  players = []
  /** The files of the last run. */
  files = []
  /** What to play instead of those, if anything. */
  chosen = () => null
  #height = 0

  /**
   * @param {object} node
   * @param {import("./language.js").Language} language
   */
  constructor(node, language) {
    this.node = node
    this.language = language
    this.line = element("p", { className: "seedance-line", role: "status", dir: "auto" })
    this.quote = element("p", { className: "seedance-quote", dir: "auto" })
    this.facts = element("p", { className: "seedance-facts", dir: "auto" })
    this.buttons = element("div", { className: "seedance-row" })
    this.videos = element("div", { className: "seedance-videos" })
    this.content = element("div", {}, this.quote, this.line, this.buttons, this.facts, this.videos)
    const frame = element("div", { className: "seedance-view" }, this.content)
    // The classic canvas zooms when the wheel turns above a node; the page hands it nothing of an element's.
    frame.addEventListener("wheel", (event) => LiteGraph.vueNodesMode || app.canvas.processMouseWheel(event))
    const widget = node.addDOMWidget(WIDGET, WIDGET, frame, {
      serialize: false, // not in the prompt
      hideOnZoom: false,
      getMinHeight: () => this.#height,
      getMaxHeight: () => this.#height,
    })
    widget.serialize = false // not in the workflow's file
    new ResizeObserver(() => this.#fit()).observe(this.content)
  }

  /**
   * @param {import("./memory.js").Shown} shown
   * @param {{label: string, onClick: () => void}[]} actions what may help after a failure
   */
  show({ lines, text = "", failed = false, files = [] }, actions = []) {
    this.line.textContent = this.language.lines(lines, text)
    this.line.dataset.mood = failed ? "bad" : ""
    this.buttons.replaceChildren(...buttonsFor(actions))
    this.files = files
    this.play(this.chosen() ?? files)
  }

  /** Shows these files, each in a player; what is shown already goes on playing. */
  play(files) {
    const wanted = files.map((file) => this.players.find((player) => player.plays(file)) ?? new Player(file))
    for (const player of this.players) if (!wanted.includes(player)) player.stop()
    this.players = wanted
    this.videos.replaceChildren(...wanted.map((player) => player.element))
    this.applySettings()
  }

  /** Mutes and hides as the user has set it for this node. */
  applySettings() {
    const { seedance_sound: sound, seedance_hidden: hidden } = this.node.properties
    this.videos.classList.toggle("seedance-hidden", Boolean(hidden))
    for (const player of this.players) {
      player.video.muted = !sound
      player.offer(this.actions(player))
    }
  }

  /** What may be done with a video, by default with the one that is pointed at. */
  actions(player = this.players.find(({ element }) => element.matches(":hover")) ?? this.players[0]) {
    return player ? videoActions(this, player.file, this.language.say) : []
  }

  /** Makes as much room as the content needs. A node that is closed or out of sight keeps what it has. */
  #fit() {
    if (!this.content.offsetParent && this.content.getClientRects().length === 0 && this.line.textContent) return
    const { offsetHeight } = this.content
    this.#height = offsetHeight && offsetHeight + 2 * MARGIN
    // Nodes 2.0 are as high as what is in them.
    if (LiteGraph.vueNodesMode) return
    const least = this.node.computeSize()[1]
    if (this.node.size[1] < least) this.node.setSize([this.node.size[0], least])
    app.canvas.setDirty(true, true)
  }
}
