// Before Run, on the node that spends money: what the next run costs. It follows the widgets, wherever their values
// come from, and is no widget's value itself, so it is neither in the prompt nor in the workflow.

import { api } from "../../scripts/api.js"
import { ask } from "./routes.js"
import { allNodes, rootGraph } from "./runs.js"
import { dollars } from "./language.js"

const NODE = "SeedanceTextToVideo"
const OPTIONS = "SeedanceOptions"
const PAUSE = 150 // milliseconds without a change until the server is asked
const RETRY = { unknown: 30_000, noToken: 3_000 } // milliseconds until it is asked again what it did not know
const NAMES = ["resolution", "ratio", "duration", "seed", "count"]
const WITHOUT_PRICE = { rehearsal: "freeRehearsal", made: "freeMade", running: "freeRunning", noToken: "tokenNone" }
const OFF = [2, 4] // the modes of nodes that are muted or bypassed
const ENDS = ["execution_start", "executed", "execution_success", "execution_error", "execution_interrupted"]

export class Quotes {
  #nodes = new WeakMap()
  #phase = ""

  /**
   * @param {(node: object) => import("./node_view.js").NodeView} view
   * @param {(key: string, values?: object) => string} say
   */
  constructor(view, say) {
    this.view = view
    this.say = say
    // A run makes what is asked for free. Elsewhere too: no event tells of another tab's or a terminal's.
    for (const name of ENDS) api.addEventListener(name, () => this.forget())
    api.addEventListener("seedance.event", ({ detail: { node, phase } }) => {
      if (this.#phase !== (this.#phase = `${node} ${phase}`)) this.forget()
    })
    addEventListener("focus", () => this.forget())
    // Not by events: a value may come through reroutes, subgraphs and primitive nodes, and no one event tells of all.
    setInterval(() => document.hidden || this.#look(), PAUSE)
  }

  /** Asks again, while what was answered stays. */
  forget() {
    for (const node of paidNodes()) if (this.#nodes.has(node)) this.#nodes.get(node).asked = null
  }

  #look() {
    for (const node of paidNodes()) {
      const request = requestOf(node)
      const wanted = JSON.stringify(request)
      const known = this.#nodes.get(node) ?? {}
      this.#nodes.set(node, known)
      if (known.wanted !== wanted) known.wanted = wanted // it may still be changing
      else if (known.asked !== wanted || performance.now() > known.until) this.#ask(known, request)
    }
  }

  async #ask(known, request) {
    const asked = (known.asked = known.wanted)
    known.until = Infinity
    const answer = request && (await answerTo(request))
    if (known.wanted !== asked) return // changed meanwhile
    if (answer?.kind in RETRY) known.until = performance.now() + RETRY[answer.kind]
    known.text = answer ? quoteText(answer, request.text === null, this.say) : ""
    this.#show()
  }

  /** On the nodes, and on each closed subgraph around one. */
  #show() {
    const said = new Map()
    for (const node of paidNodes()) {
      const text = this.#nodes.get(node)?.text
      for (let each = node; each && text !== undefined; each = holderOf(each.graph))
        said.set(each, [said.get(each), text].filter(Boolean).join("\n"))
    }
    for (const [node, text] of said) this.view(node).quote.textContent = text
  }
}

const paidNodes = () => allNodes().filter((node) => node.comfyClass === NODE)

/** What the server says; a rehearsal is free, whatever it is of. */
async function answerTo(request) {
  if (request.mode === "rehearsal") return { kind: "rehearsal" }
  const answer = await ask("POST", "/seedance/quote", request).catch(() => ({ kind: "unknown" }))
  if (answer.kind !== "unknown") return answer
  const { source } = await ask("GET", "/seedance/token").catch(() => ({}))
  return { kind: source === null ? "noToken" : "unknown" }
}

/**
 * What a node is about to cost; nothing where nothing is known.
 *
 * @param {{kind: string, usd?: number, is_base?: boolean, videos?: number, to_buy?: number, duration?: number, resolution?: string}}
 *   answer of the server
 * @param {boolean} isEach whether it is of one video of many, whose number is not known
 * @param {(key: string, values?: object) => string} say
 */
function quoteText({ kind, usd, is_base: isBase, videos, to_buy: toBuy, ...what }, isEach, say) {
  if (kind !== "price") return kind in WITHOUT_PRICE ? say(WITHOUT_PRICE[kind]) : ""
  const price = say(`${isBase ? "from" : "about"}${isEach ? "Each" : "Price"}`, { usd: dollars(usd) })
  if (isEach) return price
  const key = toBuy < videos ? "videosToBuy" : videos === 1 ? "videosOne" : "videosMany"
  return `${price}: ${say(key, { count: videos, toBuy, ...what })}`
}

/** What the server is to be asked; nothing where it takes a run to know. */
function requestOf(node) {
  if (OFF.includes(node.mode)) return null
  const valueOf = (name) => sourceOf(node, name).value
  const asked = { text: valueOf("text"), mode: valueOf("mode"), reuse: valueOf("reuse") }
  const { node: options, isLinked } = sourceOf(node, "options")
  if (isLinked && (options?.comfyClass !== OPTIONS || OFF.includes(options.mode))) return null
  if (options) for (const name of NAMES) asked[name] = sourceOf(options, name).value
  // What differs from video to video leaves the price of each; the others are its price.
  if ([asked.text, ...(options ? [asked.seed, asked.count] : [])].includes(undefined) || !asked.text.trim()) asked.text = null
  const { text, seed = 0, count = 1, ...others } = asked
  return Object.values(others).includes(undefined) ? null : { text, seed: options && seed, count, ...others }
}

/**
 * Where an input has its value from, through reroutes, primitive nodes and the inputs of subgraphs.
 *
 * @returns {{value?: unknown, node?: object, isLinked?: boolean}} a widget's value, or the node that makes it
 */
function sourceOf(node, name) {
  const { graph } = node
  const link = graph.getLink(node.inputs?.find((input) => input.name === name)?.link)
  if (!link) return { value: node.widgets?.find((widget) => widget.name === name)?.value }
  if (link.origin_id === graph.inputNode?.id) {
    const holder = holderOf(graph)
    return holder ? sourceOf(holder, graph.inputs[link.origin_slot].name) : { isLinked: true }
  }
  const origin = graph.getNodeById(link.origin_id)
  if (origin?.type === "Reroute") return sourceOf(origin, origin.inputs[0].name)
  if (origin?.type.startsWith("Primitive") && !OFF.includes(origin.mode)) return sourceOf(origin, origin.widgets?.[0]?.name)
  return { node: origin, isLinked: true }
}

/** The node that stands for a subgraph. */
function holderOf(graph) {
  return graph === rootGraph() ? null : allNodes().find((node) => node.subgraph === graph)
}
