// Seedance in ComfyUI's own places: Settings > Seedance, the sidebar, the About panel, and a message when a video fails.
// Nothing here is built or bundled; ComfyUI loads the files as they are.

import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { ask } from "./account.js"
import { budgetPanel } from "./budget_panel.js"
import { Display } from "./display.js"
import { Message, showLeftOut } from "./failures.js"
import { addJobsTab } from "./jobs_panel.js"
import { Language } from "./language.js"
import { mendThumbnails } from "./loader.js"
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

app.registerExtension({
  name: "Seedance",
  settings: [
    {
      id: "Seedance.Token",
      name: "RunComfy API token",
      category: ["Seedance", "RunComfy account", "Token"],
      sortOrder: 1, // before the limit
      tooltip:
        "Live runs are paid from the RunComfy account that this token belongs to. It is kept in a private file on " +
        "the computer that runs ComfyUI, is sent to RunComfy only, and cannot be read back here. Check asks " +
        "RunComfy whether the token is valid, which is free.",
      // A function, which draws the panel. It never calls the setter that it is given: the setting has no value,
      // so there is nothing of it in ComfyUI's settings file.
      type: () => tokenPanel(language),
      defaultValue: null,
    },
    {
      id: "Seedance.Budget",
      name: "Limit of spending",
      category: ["Seedance", "RunComfy account", "Budget"],
      tooltip:
        "US dollars that live runs may spend in any 24 hours, together with all servers that share the journal; 0 is " +
        "no limit. A video that would cost more is not submitted.",
      type: () => budgetPanel(language),
      defaultValue: null,
    },
  ],
  aboutPageBadges: about
    ? [{ label: `Seedance v${about.version}`, url: about.repository, icon: "pi pi-github" }]
    : [],
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
