// What nodes show, by tab while the page lives, and by workflow in the browser's storage for when it is loaded again.

const KEY = "Seedance.shown"
const MOST = 50 // workflows
const UNNAMED = "00000000-0000-0000-0000-000000000000" // a graph that has not been given an id

/**
 * What one node shows.
 *
 * @typedef {object} Shown
 * @property {import("./language.js").Text[][]} [lines] what it says
 * @property {string} [text] the same in English
 * @property {boolean} [failed] whether it tells of a failure
 * @property {boolean} [settings] whether that is put right in Settings
 * @property {{filename: string, subfolder: string, type: string}[]} [files] the videos
 */

export class Memory {
  #tabs = new WeakMap()

  /**
   * @param {object} [tab]
   * @param {string} [graph] the id of the tab's graph
   * @returns {Map<string, Shown>} by the ids of nodes, `5:1` for node 1 in subgraph 5
   */
  of(tab, graph) {
    const kept = tab && this.#tabs.get(tab)
    // Another graph may be opened in the same tab.
    if (kept && (kept.graph === graph || graph === UNNAMED)) return kept.nodes
    const nodes = new Map(Object.entries(read()[graph]?.nodes ?? {}))
    if (tab) this.#tabs.set(tab, { graph, nodes })
    return nodes
  }

  /** Lets a tab whose graph was opened anew, as a template is, show nothing of an earlier run of it. */
  begin(tab, graph) {
    this.#tabs.set(tab, { graph, nodes: new Map() })
    const { [graph]: _, ...others } = read()
    write(others)
  }

  /** Puts what a workflow's nodes show into the storage, in place of the oldest where there are too many. */
  save(graph, nodes) {
    if (!graph || graph === UNNAMED) return
    const all = { ...read(), [graph]: { time: Date.now(), nodes: Object.fromEntries(nodes) } }
    const newest = Object.entries(all).sort(([, a], [, b]) => b.time - a.time).slice(0, MOST)
    write(Object.fromEntries(newest))
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {}
  } catch {
    return {}
  }
}

function write(all) {
  try {
    localStorage.setItem(KEY, JSON.stringify(all))
  } catch {
    // Full or forbidden: then it is gone after a reload.
  }
}
