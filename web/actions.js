// What may help after a failure, as buttons: the page of Settings with the token, and the node's help.

import { app } from "../../scripts/app.js"

const PATIENCE = 3000 // milliseconds until a part of the page is there

/**
 * @param {import("./memory.js").Shown} shown
 * @param {object} node
 * @param {(key: string) => string} say
 * @returns {{label: string, onClick: () => void}[]} the most helpful one first
 */
export function actionsFor({ settings }, node, say) {
  const help = { label: say("openHelp"), onClick: () => openHelp(node) }
  return settings ? [{ label: say("openSettings"), onClick: openSettings }, help] : [help]
}

async function openSettings() {
  await app.extensionManager.command.execute("Comfy.ShowSettingsDialog")
  await press(() => [...document.querySelectorAll("[role=dialog] *")].find((each) => ownText(each) === "Seedance"))
}

/** As a user does: selects the node and presses the info button above it. */
async function openHelp(node) {
  app.canvas.selectNode(node)
  await press(() => document.querySelector("[data-testid=info-button]"))
}

async function press(find) {
  const end = performance.now() + PATIENCE
  while (performance.now() < end) {
    const found = find()
    if (found) return found.click()
    await new Promise(requestAnimationFrame)
  }
}

function ownText(element) {
  return [...element.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE).map((each) => each.data.trim()).join("")
}
