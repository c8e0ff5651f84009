// One video on a node, muted and looping. It can play just the frames that a node picks.

import { api } from "../../scripts/api.js"
import { element } from "./element.js"

/** Which frames are picked of a file that has `frames` of them, `fps` a second. */
/** @typedef {{fps: number, frames: number, skip: number, cap: number, every: number}} Selection */

export class Player {
  #first = 0 // seconds
  #end = Infinity
  #timer

  /** @param {{filename: string, subfolder: string, type: string}} file as ComfyUI names it */
  constructor(file) {
    this.file = file
    this.video = element("video", {
      src: addressOf(file),
      muted: true,
      loop: true,
      controls: true,
      playsInline: true,
      preload: "metadata",
      autoplay: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    })
    this.tools = element("div", { className: "seedance-tools" })
    this.element = element("div", { className: "seedance-player" }, this.video, this.tools)
    this.#watch()
    // A file that was deleted, or that no browser plays.
    this.video.addEventListener("error", () => this.element.remove())
  }

  /** @param {{content: string, icon: string, callback: () => void}[]} actions for the buttons on the video */
  offer(actions) {
    const buttons = actions.map(({ content, icon, callback }) =>
      element("button", { type: "button", className: `pi pi-${icon}`, title: content, ariaLabel: content, onclick: callback })
    )
    this.tools.replaceChildren(...buttons)
  }

  plays(file) {
    return addressOf(file) === addressOf(this.file)
  }

  /** @param {Selection} selection */
  follow({ fps, frames, skip, cap, every }) {
    clearInterval(this.#timer)
    const available = Math.max(0, Math.ceil((frames - skip) / every))
    const count = cap ? Math.min(cap, available) : available
    this.#first = skip / fps
    this.#end = (skip + (count - 1) * every + 1) / fps
    this.video.controls = every === 1
    if (!count) this.video.pause()
    else if (every === 1) this.#keepWithin()
    else this.#step(count, every / fps, 0.5 / fps)
  }

  stop() {
    clearInterval(this.#timer)
    this.video.pause()
    this.video.removeAttribute("src")
  }

  /** Looks at every frame that is shown, where the browser can tell of them. */
  #watch() {
    const { video } = this
    if (!video.requestVideoFrameCallback) return video.addEventListener("timeupdate", () => this.#keepWithin())
    const look = () => {
      this.#keepWithin()
      video.requestVideoFrameCallback(look)
    }
    video.requestVideoFrameCallback(look)
  }

  #keepWithin() {
    const { currentTime } = this.video
    if (currentTime < this.#first - 0.001 || currentTime >= this.#end) this.video.currentTime = this.#first
  }

  /** Shows every so many seconds the next of the frames that are picked; `inside` leads from a frame's begin into it. */
  #step(count, seconds, inside) {
    this.video.pause()
    let next = 0
    this.#timer = setInterval(() => {
      if (!this.video.isConnected || this.video.seeking) return
      this.video.currentTime = this.#first + next * seconds + inside
      next = (next + 1) % count
    }, seconds * 1000)
  }
}

/** Where the server serves a file. */
export function addressOf({ filename, subfolder, type }) {
  return api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`)
}
