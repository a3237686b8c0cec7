import { setText } from "./dom.js";
import { heardAt } from "../model/gateway-clock.js";
import { Staleness } from "../model/staleness.js";
import { clock, moment } from "../model/time.js";

const CONTROLS_FOR = 30_000; // ms
const LOOK_EVERY = 3_600_000; // ms between two looks at whether the gateway has another version of the page
const DAY = 86_400_000; // ms for which a page is not loaded again
const root = document.documentElement;

/** The page for a screen on a wall: larger, without controls, kept awake, and honest from afar about data that does not come. */
export class Wall {
  #staleness = new Staleness();
  #stale = document.getElementById("wall-stale");
  #clock = document.getElementById("wall-clock");
  #gap = document.getElementById("wall-gap");
  #button = document.getElementById("wall-toggle");
  #reading;
  #toast;
  #changed;
  #controls = 0; // timer, while they are shown
  #lock = null;
  #version = null;

  /** `changed()` is called when the address is to hold something else. */
  constructor({ reading, toast, changed }) {
    this.#reading = reading;
    this.#toast = toast;
    this.#changed = changed;
    this.on = false;
    this.#button.addEventListener("click", () => {
      this.show(!this.on);
      this.#changed();
    });
    for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, (event) => this.#used(event), { capture: true });
    document.addEventListener("visibilitychange", () => this.#stayAwake());
    setInterval(() => this.#look(), LOOK_EVERY);
  }

  show(on) {
    if (on === this.on) return;
    this.on = on;
    setText(this.#button, on ? "Leave the wall view" : "Show as a wall");
    this.#cover(on);
    if (!on) return;
    this.#toast.show("Esc, or a touch, shows the controls for half a minute.");
    this.#look();
  }

  /** Says how things are, `state` being what describe() in state.js says; call it about twice a second. */
  tell({ name }, { ring, losses }) {
    if (!this.on) return;
    const last = ring.at(ring.length - 1);
    const since = this.#staleness.since(name, last && heardAt(last));
    setText(this.#clock, clock(Date.now()));
    setText(this.#gap, losses.gapsText && `gaps ${losses.gapsText}`);
    this.#stale.hidden = since === null;
    root.classList.toggle("stale", since !== null);
    setText(this.#stale, since === null ? "" : `No data since ${moment(since)}`);
  }

  #cover(on) {
    root.classList.toggle("wall", on);
    clearTimeout(this.#controls);
    this.#controls = 0;
    this.#stayAwake();
    if (!on) return root.classList.remove("stale");
    document.activeElement?.blur(); // it may be in what is hidden now
    this.#reading.resume(); // nobody would see that a wall stands still
    return undefined;
  }

  // A wall has no reader at hand: whoever is there, and asks for the controls, has them while they are used.
  #used(event) {
    if (!this.on) return;
    const asks = event.key === "Escape" || event.pointerType === "touch";
    if (!this.#controls) event.stopPropagation(); // what is hidden is not meant
    if (!this.#controls && !asks) return;
    if (!this.#controls) event.preventDefault();
    this.#cover(false);
    this.#controls = setTimeout(() => this.on && this.#cover(true), CONTROLS_FOR);
  }

  async #stayAwake() {
    const wanted = this.on && !document.hidden;
    try {
      if (!wanted) await this.#lock?.release();
      else if (!this.#lock || this.#lock.released) this.#lock = await navigator.wakeLock?.request("screen");
    } catch {
      // not here, or not while the battery is low
    }
  }

  // Nobody else would load a new version.
  async #look() {
    if (!this.on) return;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      const version = answer.ok ? answer.headers.get("etag") : null;
      this.#version ??= version;
      if (version && version !== this.#version && performance.now() > DAY) location.reload();
    } catch {
      // the gateway is away; the page says so itself
    }
  }
}
