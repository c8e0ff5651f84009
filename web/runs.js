// Which tab a run belongs to. The server names nodes by their ids, and another tab has nodes with the same ids.

import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"

/**
 * One prompt that was posted.
 *
 * @typedef {object} Run
 * @property {object} [tab] the workflow that it was made from, as long as this page knows
 * @property {string} [graph] the id of that workflow's graph, which is the same after a reload
 * @property {Record<string, {class_type: string}>} nodes
 */

/** The workflow whose tab is open. */
export const openTab = () => app.extensionManager.workflow?.activeWorkflow

/** The graph of the open tab, whatever subgraph of it is shown. */
export const rootGraph = () => app.rootGraph ?? app.graph

/** All nodes of the open tab, those in subgraphs among them. */
export function allNodes() {
  const root = rootGraph()
  return [root, ...(root.subgraphs?.values() ?? [])].flatMap((graph) => graph.nodes)
}

/** The prompts that this page has posted, and those that it finds in the queue when it is loaded. */
export class Runs {
  #known = new Map()
  #posting = null

  /**
   * @param {(run: Run, errors: Record<string, {errors: object[]}>) => void} onRefused is called where the server finds
   *   fault with nodes of a prompt before it runs
   */
  constructor(onRefused) {
    const post = api.queuePrompt
    api.queuePrompt = (number, prompt, ...rest) => {
      const run = { tab: openTab(), graph: prompt.workflow?.id, nodes: prompt.output }
      this.#posting = run
      const posted = post.call(api, number, prompt, ...rest)
      posted
        .then(
          ({ prompt_id: id, node_errors: errors }) => {
            this.#known.set(id, run)
            return errors
          },
          (error) => error.response?.node_errors
        )
        .then((errors) => {
          if (this.#posting === run) this.#posting = null
          onRefused(run, errors ?? {})
        })
      return posted
    }
  }

  /** Learns of what was posted before the page was loaded. */
  async resume() {
    const response = await api.fetchApi("/queue")
    const { queue_running: running, queue_pending: pending } = await response.json()
    for (const [, id, nodes, extra] of [...running, ...pending])
      this.#known.set(id, { graph: extra?.extra_pnginfo?.workflow?.id, nodes })
  }

  /**
   * @param {string} id of a prompt
   * @returns {Run | undefined}
   */
  of(id) {
    // Its first events may be here before the answer to the post.
    if (!this.#known.has(id) && this.#posting) this.#known.set(id, this.#posting)
    return this.#known.get(id)
  }

  forget(id) {
    this.#known.delete(id)
  }
}
