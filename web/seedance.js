// Seedance in ComfyUI's own places: Settings > Seedance, the sidebar, the About panel, and a message when a video fails.
// Nothing here is built or bundled; ComfyUI loads the files as they are.

import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { ask } from "./routes.js"
import { budgetPanel } from "./budget_panel.js"
import { Display } from "./display.js"
import { Message, showLeftOut } from "./failures.js"
import { addJobsTab } from "./jobs_panel.js"
import { Language } from "./language.js"
import { mendThumbnails } from "./load_video.js"
import { Quotes } from "./quote.js"
import { keepSeed } from "./seed.js"
import { tokenPanel } from "./token_panel.js"
import { keepTranslations } from "./translations.js"

const style = document.createElement("link")
style.rel = "stylesheet"
style.href = new URL("./seedance.css", import.meta.url).href
document.head.append(style)

const language = new Language()
await language.load().catch((error) => console.warn("Seedance: translations are missing.", error))
// Before the UI takes the nodes' definitions in, which happens once the extensions are loaded.
keepTranslations(language.packs)

const about = await ask("GET", "/seedance/about").catch(() => null)

const message = new Message()
const display = new Display(api, language, message)
await display.runs.resume().catch(() => null)

/** A part of Settings > Seedance, whose texts are in locales/, as ComfyUI looks them up too. */
const setting = (name, sortOrder, panel) => ({
  id: `Seedance.${name}`,
  category: ["Seedance", "RunComfy account", name],
  sortOrder,
  // A function, which draws the panel. It never calls the setter that it is given: the setting has no value, so there
  // is nothing of it in ComfyUI's settings file.
  type: () => panel(language),
  defaultValue: null,
  ...(language.packs.en?.settings?.[`Seedance_${name}`] ?? { name }),
})

app.registerExtension({
  name: "Seedance",
  settings: [setting("Token", 1, tokenPanel), setting("Budget", 0, budgetPanel)],
  aboutPageBadges: about ? [{ label: `Seedance v${about.version}`, url: about.repository, icon: "pi pi-github" }] : [],
  setup() {
    showLeftOut(api, message, language)
    addJobsTab(language)
    mendThumbnails()
    new Quotes((node) => display.view(node), language.say)
  },
  nodeCreated(node) {
    display.add(node)
    keepSeed(node)
  },
  getNodeMenuItems: (node) => display.menu(node),
})
