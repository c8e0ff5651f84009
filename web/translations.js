// ComfyUI's web UI up to 1.33 loads a language after the packs' texts, and forgets those. This brings them back.

/**
 * Keeps the packs' texts in every language that the UI has loaded, and will load.
 *
 * @param {Record<string, object>} packs the texts, by language
 */
export function keepTranslations(packs) {
  const ui = document.getElementById("vue-app")?.__vue_app__
  const messages = ui?._context?.provides?.[ui.__VUE_I18N_SYMBOL__]?.global
  // The UI's own affair, and not promised by it: where it is not as expected, the texts stay English.
  if (!messages?.setLocaleMessage || !messages.mergeLocaleMessage) return
  const load = messages.setLocaleMessage
  messages.setLocaleMessage = (locale, texts) => {
    load(locale, texts)
    if (packs[locale]) messages.mergeLocaleMessage(locale, packs[locale])
  }
  for (const locale of messages.availableLocales) {
    if (packs[locale]) messages.mergeLocaleMessage(locale, packs[locale])
  }
}
