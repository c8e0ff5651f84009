// Nodes 2.0 of older frontends takes what a node shows for an image unless the node says, or has a VIDEO input.

const NODES = ["SeedanceTextToVideo", "LoadSeedanceVideo"]

/**
 * Lets the node's preview be a video player.
 *
 * @param {{comfyClass: string, previewMediaType?: string}} node as ComfyUI has just made it
 */
export function showVideos(node) {
  if (NODES.includes(node.comfyClass)) node.previewMediaType = "video"
}
