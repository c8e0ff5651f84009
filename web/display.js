// The one owner of what this pack's nodes show. The frontend's own line and player would each be a widget that moves
// about, is posted with the prompt, goes with the tab, and is shown on whichever node has the same id.

import { app } from "../../scripts/app.js"
import { actionsFor } from "./actions.js"
import { NODE as LOADER, Loader, choices } from "./load_video.js"
import { Memory } from "./memory.js"
import { NodeView } from "./node_view.js"
import { allNodes, openTab, rootGraph, Runs } from "./runs.js"

const NODES = ["SeedanceTextToVideo", "SeedanceOptions", "LoadSeedanceVideo", "SeedanceUpscaleVideo"]
const INPUT = /^\w+ - / // ComfyUI puts the name of an input before what is wrong with it

export class Display {
  #memory = new Memory()
  #views = new WeakMap()
  #event = {} // what the next line says
  #running = null // the id of the prompt
  #spoke = new Map() // what nodes have said last in it that have brought no video yet, by their ids

  #loaders = new WeakMap()
  #videos = null // that can be loaded, once there are more than when the page was loaded

  /**
   * @param {EventTarget} api ComfyUI's events
   * @param {import("./language.js").Language} language
   * @param {import("./failures.js").Message} message
   */
  constructor(api, language, message) {
    this.language = language
    this.message = message
    this.runs = new Runs((run, errors) => this.#refused(run, errors))
    // Instead of an event, for which the frontend would add its own line.
    const dispatch = api.dispatchCustomEvent
    api.dispatchCustomEvent = (type, detail) =>
      type === "progress_text" && this.#said(detail) ? true : dispatch.call(api, type, detail)
    api.addEventListener("seedance.event", ({ detail }) => (this.#event = detail))
    api.addEventListener("execution_start", ({ detail }) => this.#begin(detail.prompt_id))
    api.addEventListener("executed", ({ detail }) => this.#executed(detail))
    api.addEventListener("execution_error", ({ detail }) => this.#failed(detail))
    api.addEventListener("execution_success", ({ detail }) => this.#end(detail.prompt_id, true))
    api.addEventListener("execution_interrupted", ({ detail }) => this.#end(detail.prompt_id, false))
    // Tabs, reloads and undo all make the graph's nodes anew.
    const load = app.loadGraphData
    app.loadGraphData = async (...args) => {
      const loaded = await load.apply(app, args)
      // Of templates and files, which make a tab of their own each time, though their graph has the same id.
      if (args[4]?.openSource) this.#memory.begin(openTab(), rootGraph().id)
      this.#restore()
      return loaded
    }
  }

  /** Takes over a node that ComfyUI has just made. */
  add(node) {
    if (!NODES.includes(node.comfyClass)) return
    // So the frontend shows no player of its own, in the classic canvas and in Nodes 2.0 (older ones: seedance.css).
    node.previewMediaType = "video"
    node.videoContainer = document.createElement("div")
    node.hideOutputImages = true
    const view = this.view(node)
    if (node.comfyClass !== LOADER) return
    const loader = new Loader(node, view, this.language.say)
    this.#loaders.set(node, loader)
    if (this.#videos) loader.offer(this.#videos)
    queueMicrotask(() => loader.update()) // a node of a workflow has its values then
  }

  /** What a node's menu offers for its video. */
  menu(node) {
    const actions = this.#views.get(node)?.actions() ?? []
    return actions.map(({ content, callback }) => ({ content, callback }))
  }

  /** The view on a node, made if need be. */
  view(node) {
    if (!this.#views.has(node)) this.#views.set(node, new NodeView(node, this.language))
    return this.#views.get(node)
  }

  #begin(prompt) {
    if (this.#running && this.#running !== prompt) this.runs.forget(this.#running)
    this.#running = prompt
    this.#spoke.clear()
  }

  /** @returns {boolean} whether it was one of these nodes that said something */
  #said({ nodeId, text, prompt_id: prompt = this.#running }) {
    const id = String(nodeId)
    const run = this.runs.of(prompt)
    if (!NODES.includes(run?.nodes[id]?.class_type)) return false
    const { lines, phase, settings } = this.#event.node === id ? this.#event : {}
    this.#event = {}
    this.#spoke.set(id, { lines, text, phase, settings })
    this.#change(run, id, { lines, text, settings, failed: false })
    return true
  }

  #executed({ node: id, output, prompt_id: prompt }) {
    const run = this.runs.of(prompt)
    if (!NODES.includes(run?.nodes[id]?.class_type) || !output?.images) return
    this.#spoke.delete(id)
    this.#change(run, id, { files: output.images })
    this.#offerVideos()
  }

  #failed({ node_id: id, node_type: type, exception_message: message, prompt_id: prompt }) {
    const run = this.runs.of(prompt)
    const text = message.trim()
    // A node whose list has failed has said so in more words; one that an accident has befallen has not.
    const spoke = this.#spoke.get(id)
    const said = spoke?.phase === "failed" || spoke?.text.includes(text) ? spoke : { text }
    if (run && NODES.includes(type)) this.#tell(run, id, type, said)
    this.#end(prompt, true)
  }

  /** A video of an earlier run does not stay beside what this one says, unless it was just stopped. */
  #end(prompt, over) {
    const run = this.runs.of(prompt)
    if (!run) return
    if (over) for (const id of this.#spoke.keys()) this.#change(run, id, { files: [] })
    this.#memory.save(run.graph, this.#shown(run))
  }

  #refused(run, errors) {
    for (const [id, { errors: reasons }] of Object.entries(errors)) {
      const type = run.nodes[id]?.class_type
      if (!NODES.includes(type)) continue
      // ComfyUI may blame each of several inputs with the same words.
      const different = new Set(reasons.map(({ message, details }) => details?.replace(INPUT, "") || message))
      this.#tell(run, id, type, { text: [...different].join("\n") })
    }
  }

  /** A failure, on the node and in a message. */
  #tell(run, id, type, { lines, text, settings }) {
    this.#change(run, id, { lines, text, settings, failed: true, files: [] })
    const { say, node } = this.language
    const actions = actionsFor({ settings }, path(id).at(-1), say)
    this.message.show("error", say("failed", { node: node(type) }), this.language.lines(lines, text), actions)
  }

  #change(run, id, change) {
    const nodes = this.#shown(run)
    nodes.set(id, { ...nodes.get(id), ...change })
    if (run.tab === openTab()) this.#draw(id, nodes.get(id))
  }

  /** ComfyUI itself asks for the list only when the page is loaded. */
  async #offerVideos() {
    this.#videos = await choices()
    for (const node of loaders()) this.#loaders.get(node)?.offer(this.#videos)
  }

  /** What the nodes of a run's tab show. */
  #shown(run) {
    // After a reload nobody knows the tab, but its graph has the same id.
    if (!run.tab && run.graph === rootGraph().id) run.tab = openTab()
    return this.#memory.of(run.tab, run.graph)
  }

  #restore() {
    for (const [id, shown] of this.#memory.of(openTab(), rootGraph().id)) this.#draw(id, shown)
    for (const node of loaders()) this.#loaders.get(node)?.update()
  }

  /** On the node, and on each closed subgraph around it. */
  #draw(id, shown) {
    const nodes = path(id)
    const node = nodes.at(-1)
    if (!NODES.includes(node?.comfyClass)) return
    const actions = shown.failed ? actionsFor(shown, node, this.language.say) : []
    for (const each of nodes) this.view(each).show(shown, actions)
    this.#loaders.get(node)?.update()
  }
}

/** The node with this id in the open tab, behind the subgraphs around it. */
function path(id) {
  let graph = rootGraph()
  return id.split(":").map((part) => {
    const node = graph?.getNodeById(part)
    graph = node?.subgraph
    return node
  })
}

/** All nodes of the open tab that load a video. */
const loaders = () => allNodes().filter((node) => node.comfyClass === LOADER)
