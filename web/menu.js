// What the menu of a node offers for its video.

import { addressOf } from "./player.js"

/**
 * @param {import("./node_view.js").NodeView} view
 * @param {(key: string) => string} say
 * @returns {{content: string, callback: () => void}[]} entries as ComfyUI takes them; none where there is no video
 */
export function videoMenu(view, say) {
  if (!view?.players.length) return []
  const { file } = view.players.find(({ video }) => video.matches(":hover")) ?? view.players[0]
  const { properties } = view.node
  const toggle = (name) => {
    properties[name] = !properties[name]
    view.applySettings()
  }
  return [
    { content: say("openVideo"), callback: () => window.open(addressOf(file), "_blank", "noopener") },
    { content: say("saveVideo"), callback: () => save(file) },
    { content: say("copyPath"), callback: () => navigator.clipboard?.writeText(pathOf(file)) },
    { content: say(properties.seedance_sound ? "mute" : "unmute"), callback: () => toggle("seedance_sound") },
    { content: say(properties.seedance_hidden ? "showVideo" : "hideVideo"), callback: () => toggle("seedance_hidden") },
  ]
}

function save(file) {
  const link = document.createElement("a")
  link.href = addressOf(file)
  link.download = file.filename
  link.click()
}

/** From ComfyUI's own folder. */
function pathOf({ filename, subfolder, type }) {
  return [type, subfolder, filename].filter(Boolean).join("/")
}
