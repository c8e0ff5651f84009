// ComfyUI gives the line of text on a node two rows. A failure, or the summary of a list, is longer; it is shown whole.

import { app } from "../../scripts/app.js"

const NODES = ["SeedanceTextToVideo", "LoadSeedanceVideo"]
const LINE = "$$node-text-preview" // the frontend's name for the widget
const ROW = 16 // pixels, at 12 pixels a letter
const AROUND = { rows: 34, letters: 60 } // pixels that are not text
const LEAST = 58
const MOST = 216 // where the frontend begins to scroll

/**
 * Gives this pack's nodes as much room as what they say needs.
 *
 * @param {EventTarget} api ComfyUI's events
 */
export function showWholeLines(api) {
  const pen = document.createElement("canvas").getContext("2d")
  pen.font = "12px Inter, Arial, sans-serif"

  function fit(node, text) {
    const line = node.widgets?.find((widget) => widget.name === LINE)
    if (!line) return
    const width = Math.max(100, node.size[0] - AROUND.letters)
    const rows = text.split("\n").reduce((sum, part) => sum + Math.ceil(pen.measureText(part).width / width || 1), 0)
    const height = Math.min(MOST, Math.max(LEAST, rows * ROW + AROUND.rows))
    line.options.getMinHeight = () => height
    const least = node.computeSize()[1]
    if (node.size[1] < least) node.setSize([node.size[0], least])
    app.graph.setDirtyCanvas(true, true)
  }

  /** Has the frontend show a text on a node of the open graph. */
  function say(node, text) {
    // Without the run's id: the frontend takes no words of a run that is over.
    api.dispatchEvent(new CustomEvent("progress_text", { detail: { nodeId: String(node.id), text } }))
    requestAnimationFrame(() => fit(node, text))
  }

  const last = new Map() // what each node has said in this run

  api.addEventListener("execution_start", () => last.clear())

  api.addEventListener("progress_text", ({ detail }) => {
    const { node, shown } = find(String(detail.nodeId))
    if (!shown || !NODES.includes(node?.comfyClass)) return
    last.set(shown, detail.text)
    // Once the frontend has put the text there.
    if (shown === node) requestAnimationFrame(() => fit(node, detail.text))
    else say(shown, detail.text)
  })

  // Frontends from 1.57 on take the line away when a run ends: what it cost, or what became of a job, would flash by.
  for (const end of ["execution_success", "execution_error", "execution_interrupted"]) {
    api.addEventListener(end, () =>
      setTimeout(() => {
        for (const [node, text] of last) {
          const gone = !node.widgets?.some((widget) => widget.name === LINE)
          if (gone && node.graph === app.canvas.graph) say(node, text)
        }
      })
    )
  }
}

/**
 * Follows the id of a node that runs, `5:1` for node 1 in subgraph 5.
 *
 * @param {string} id
 * @returns {{node?: object, shown?: object}} the node, and what shows its words in the graph that is open: itself, or
 *   the closed subgraph around it, which ComfyUI itself leaves silent
 */
function find(id) {
  let graph = app.rootGraph ?? app.graph
  let node, shown
  for (const part of id.split(":")) {
    node = graph?.getNodeById(part)
    if (graph === app.canvas.graph) shown = node
    graph = node?.subgraph
  }
  return { node, shown }
}
