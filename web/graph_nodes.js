// Nodes that the jobs panel puts into the middle of the open graph.

import { app } from "../../scripts/app.js"

const GAP = 40 // pixels between two nodes

/** A node that loads the video of a job. */
export function addLoader(source) {
  add(["LoadSeedanceVideo", { source }])
}

/** The two nodes that ask for the same once more. */
export function addRequest({ text, ...options }) {
  const [from, to] = add(["SeedanceOptions", options], ["SeedanceTextToVideo", { text }])
  from.connect(0, to, "options")
}

/** Side by side, selected. */
function add(...wanted) {
  const { canvas } = app
  const { graph } = canvas
  const [left, top, width, height] = canvas.ds.visible_area
  graph.beforeChange()
  const made = wanted.map(([type, values]) => {
    const node = LiteGraph.createNode(type)
    for (const [name, value] of Object.entries(values)) {
      const widget = node.widgets.find((widget) => widget.name === name)
      widget.value = value
      widget.callback?.(value, canvas, node)
    }
    return node
  })
  const total = made.reduce((sum, node) => sum + node.size[0] + GAP, -GAP)
  let x = left + (width - total) / 2
  for (const node of made) {
    node.pos = [x, top + (height - node.size[1]) / 2]
    x += node.size[0] + GAP
    graph.add(node)
  }
  graph.afterChange()
  canvas.selectNodes(made)
  return made
}
