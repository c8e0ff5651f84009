// The pack's routes. A token goes out through here and never comes back.

import { api } from "../../scripts/api.js"

/**
 * One request to a route of the pack.
 *
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} route
 * @param {object} [body] sent as JSON, which the routes that change something demand
 * @returns {Promise<object>} the answer
 * @throws {Refused} with the server's reason
 * @throws {Error} when there was no answer
 */
export async function ask(method, route, body = {}) {
  const sent = method === "GET" ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }
  const response = await api.fetchApi(route, { method, cache: "no-store", ...sent })
  const answer = await response.json()
  if (!response.ok) throw new Refused(answer)
  return answer
}

/** The server said no, in English and as texts; either is meant for the user. */
export class Refused extends Error {
  constructor({ error, texts }) {
    super(error)
    this.texts = texts
  }
}
