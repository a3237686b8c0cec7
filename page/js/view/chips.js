import { fromTemplate, part, setText } from "./dom.js";
import { count } from "../model/format.js";
import { Rate, rateText } from "../model/rate.js";
import { withSigns } from "../model/signs.js";

const FLASH = 600;
const NARROW = 0.4; // by how much a sign is narrower than a digit

/** One removable chip for each subscription. */
export class Chips {
  #list;
  #remove;
  #byPattern = new Map();

  /** `remove(pattern)` is called when the reader presses a chip's x. */
  constructor(list, remove) {
    this.#list = list;
    this.#remove = remove;
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("focusin", ({ target }) => this.#stopAt(target));
  }

  show(subscriptions) {
    for (const [pattern, chip] of this.#byPattern) {
      if (!subscriptions.has(pattern)) this.#drop(pattern, chip);
    }
    for (const subscription of subscriptions) {
      const chip = this.#byPattern.get(subscription.pattern) ?? this.#make(subscription);
      this.#fill(chip, subscription);
    }
  }

  /** Call once a second, or say how many have passed: the rate of each follows what was counted since. */
  tick(subscriptions, seconds) {
    for (const { pattern, count: messages } of subscriptions) {
      const chip = this.#byPattern.get(pattern);
      if (!chip) continue;
      const now = Date.now();
      chip.rate.beat(messages - chip.counted, seconds, { time: now, total: messages, now });
      chip.counted = messages;
    }
  }

  /** Draws the eye to chips that were there already. */
  flash(patterns) {
    for (const pattern of patterns) {
      const { element } = this.#byPattern.get(pattern);
      bringIntoView(element);
      element.classList.add("flash");
      setTimeout(() => element.classList.remove("flash"), FLASH);
    }
  }

  // However many chips there are, Tab stops at one of them.
  #stopAt(close) {
    for (const chip of this.#byPattern.values()) chip.close.tabIndex = chip.close === close ? 0 : -1;
  }

  #key(event) {
    const all = [...this.#byPattern.values()].map(({ close }) => close);
    const at = all.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at === -1 || (to === undefined && event.key !== "Delete")) return;
    event.preventDefault();
    if (event.key === "Delete") event.target.click();
    else all[(to + all.length) % all.length].focus();
  }

  #make({ pattern, hue, count: counted }) {
    const element = fromTemplate("chip-template");
    element.classList.add(`hue-${hue}`);
    const close = part(element, "chip-close");
    part(element, "chip-pattern").textContent = withSigns(pattern);
    close.setAttribute("aria-label", `Unsubscribe ${pattern}`);
    close.tabIndex = this.#byPattern.size ? -1 : 0;
    close.addEventListener("click", () => this.#remove(pattern));
    const chip = { element, close, note: part(element, "chip-note"), width: 0, counted, rate: new Rate() };
    this.#byPattern.set(pattern, chip);
    this.#list.append(element);
    bringIntoView(element);
    return chip;
  }

  #fill(chip, { state, message, count: messages }) {
    const { element, note } = chip;
    if (state === "refused" && chip.width) widen(chip, 0);
    setText(note, state === "refused" ? message : figures(chip, messages));
    if (element.dataset.state === state) return;
    element.dataset.state = state;
    element.title = state === "pending" ? "not acknowledged yet" : "";
    if (state === "refused") bringIntoView(element);
  }

  // Whoever works by keyboard stays among the chips, or goes back to the field after the last one.
  #drop(pattern, { element, close }) {
    const hadFocus = close === document.activeElement;
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    if (neighbour && close.tabIndex === 0) this.#stopAt(part(neighbour, "chip-close"));
    element.remove();
    this.#byPattern.delete(pattern);
    if (!hadFocus) return;
    const next = neighbour ? part(neighbour, "chip-close") : document.getElementById("subjects");
    next.focus();
  }
}

function figures(chip, messages) {
  const text = messages ? `${count(messages)} · ${rateText(chip.rate.value)}` : "0";
  const width = text.length - text.replace(/\d/g, "").length * NARROW;
  if (width > chip.width) widen(chip, width);
  return text;
}

// A chip that is as wide as its figures ever were does not push its neighbours at each change.
function widen(chip, width) {
  chip.width = width;
  chip.note.style.minWidth = `${width}ch`;
}

function bringIntoView(element) {
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
}
