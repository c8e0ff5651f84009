// The line in the user's language: the server sends what happens beside its own English words.

/** What Stop comes to, by the server's names for it. */
const OUTCOMES = {
  NOT_SUBMITTED: "stoppedNotSubmitted",
  CANCELLED: "stoppedCancelled",
  GOES_ON: "stoppedGoesOn",
  UNCERTAIN: "stoppedUncertain",
  FINISHED: "stoppedFinished",
}

/**
 * @param {{key: string, values: object}} event its class on the server, and that one's fields
 * @param {(key: string, values: object) => string} say
 * @returns {string | undefined} nothing where the server's own words have to do, as for failures
 */
export function wordingOf({ key, values }, say) {
  const seconds = { elapsed: Math.round(values.elapsed), expected: Math.round(values.expected) }
  const price = values.price ? [values.price] : []
  switch (key) {
    case "Submitting":
      return say("submitting")
    case "Queued":
      return [say(values.position ? "queuedAt" : "queued", { ...values, ...seconds }), ...price].join(", ")
    case "Generating":
      return [say(values.elapsed <= values.expected ? "generating" : "generatingLong", seconds), ...price].join(", ")
    case "Downloading":
      return say(values.total === null ? "downloadingSome" : "downloading", {
        received: megabytes(values.received),
        total: megabytes(values.total),
      })
    case "Decoding":
      return say("decoding", values)
    case "Done":
      return [doneBy(values, seconds, say), say("frames", values), ...costOf(values)].join(", ")
    case "StopReport":
      return OUTCOMES[values.outcome] && say(OUTCOMES[values.outcome])
  }
}

function doneBy({ reused }, seconds, say) {
  // A job that an earlier run began may have been ready.
  if (!reused && !seconds.elapsed) return say("doneAtOnce")
  return say(reused ? "reused" : "done", seconds)
}

function costOf({ reused, cost, price }) {
  if (reused || (cost === null && !price)) return []
  return [cost === null ? price : dollars(cost)]
}

/** An amount of US dollars, in cents where they tell it. */
export function dollars(amount) {
  return `$${amount.toFixed(amount === 0 || amount >= 0.01 ? 2 : 4)}`
}

/**
 * What a node is about to cost.
 *
 * @param {{kind: string, usd?: number, is_base?: boolean, videos?: number, to_buy?: number, duration?: number, resolution?: string}}
 *   answer of the server
 * @param {boolean} isEach whether it is of one video of many, whose number is not known
 * @param {(key: string, values?: object) => string} say
 * @returns {string} nothing where nothing is known
 */
export function quoteText({ kind, usd, is_base: isBase, videos, to_buy: toBuy, ...what }, isEach, say) {
  if (kind !== "price") return { rehearsal: say("freeRehearsal"), made: say("freeMade"), running: say("freeRunning") }[kind] ?? ""
  const price = say(`${isBase ? "from" : "about"}${isEach ? "Each" : "Price"}`, { usd: dollars(usd) })
  if (isEach) return price
  const key = toBuy < videos ? "videosToBuy" : videos === 1 ? "videosOne" : "videosMany"
  return `${price}: ${say(key, { count: videos, toBuy, ...what })}`
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1)
}
