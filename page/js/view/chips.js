import { fromTemplate, part, setText } from "./dom.js";
import { count } from "../model/format.js";

const FLASH = 600;

/** One removable chip for each subscription. */
export class Chips {
  #list;
  #remove;
  #byPattern = new Map();

  /** `remove(pattern)` is called when the reader presses a chip's x. */
  constructor(list, remove) {
    this.#list = list;
    this.#remove = remove;
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

  /** Draws the eye to chips that were there already. */
  flash(patterns) {
    for (const pattern of patterns) {
      const { element } = this.#byPattern.get(pattern);
      bringIntoView(element);
      element.classList.add("flash");
      setTimeout(() => element.classList.remove("flash"), FLASH);
    }
  }

  #make({ pattern, hue }) {
    const element = fromTemplate("chip-template");
    element.classList.add(`hue-${hue}`);
    const close = part(element, "chip-close");
    part(element, "chip-pattern").textContent = pattern;
    close.setAttribute("aria-label", `Unsubscribe ${pattern}`);
    close.addEventListener("click", () => this.#remove(pattern));
    const chip = { element, close, note: part(element, "chip-note") };
    this.#byPattern.set(pattern, chip);
    this.#list.append(element);
    bringIntoView(element);
    return chip;
  }

  #fill({ element, note }, { state, message, count: messages }) {
    setText(note, state === "refused" ? message : count(messages));
    if (element.dataset.state === state) return;
    element.dataset.state = state;
    element.title = state === "pending" ? "not acknowledged yet" : "";
    if (state === "refused") bringIntoView(element);
  }

  // Whoever works by keyboard stays among the chips, or goes back to the field after the last one.
  #drop(pattern, { element, close }) {
    const hadFocus = close === document.activeElement;
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    this.#byPattern.delete(pattern);
    if (!hadFocus) return;
    const next = neighbour ? part(neighbour, "chip-close") : document.getElementById("subjects");
    next.focus();
  }
}

function bringIntoView(element) {
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
}
