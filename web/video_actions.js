// What may be done with a video on a node: by the buttons on it, and by the node's menu where ComfyUI asks for entries.

import { addressOf } from "./player.js"

/**
 * @param {import("./node_view.js").NodeView} view
 * @param {{filename: string, subfolder: string, type: string}} file
 * @param {(key: string) => string} say
 * @returns {{content: string, icon: string, callback: () => void}[]}
 */
export function videoActions(view, file, say) {
  const { properties } = view.node
  const { seedance_sound: sound, seedance_hidden: hidden } = properties
  const toggle = (name) => () => {
    properties[name] = !properties[name]
    view.applySettings()
  }
  const action = (key, icon, callback) => ({ content: say(key), icon, callback })
  return [
    action("openVideo", "external-link", () => window.open(addressOf(file), "_blank", "noopener")),
    action("saveVideo", "download", () => save(file)),
    action("copyPath", "copy", () => navigator.clipboard?.writeText(pathOf(file))),
    action(sound ? "mute" : "unmute", sound ? "volume-up" : "volume-off", toggle("seedance_sound")),
    action(hidden ? "showVideo" : "hideVideo", hidden ? "eye" : "eye-slash", toggle("seedance_hidden")),
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
