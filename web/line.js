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

  api.addEventListener("progress_text", ({ detail }) => {
    const node = app.graph.getNodeById(detail.nodeId)
    // Once the frontend has put the text there.
    if (NODES.includes(node?.comfyClass)) requestAnimationFrame(() => fit(node, detail.text))
  })
}
