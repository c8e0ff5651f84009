// ComfyUI changes a seed after every run. Here that would be another paid video, and the one that was just stopped, or
// whose upscaling failed, would not be found again: the next run must ask for the same. So a new node keeps its seed.

const NODE = "SeedanceOptions"
const CONTROL = "control_after_generate"

/**
 * Lets a node that the user adds keep its seed; a workflow that is opened says for itself what to do.
 *
 * @param {{comfyClass: string, widgets?: {name: string, value: unknown}[]}} node as ComfyUI has just made it
 */
export function keepSeed(node) {
  if (node.comfyClass !== NODE) return
  const control = node.widgets?.find((widget) => widget.name === CONTROL)
  if (control) control.value = "fixed"
}
