import { fromTemplate, part, setText } from "./dom.js";
import { count } from "../model/format.js";
import { PastMenu } from "./past-menu.js";
import { Rate, rateText } from "../model/rate.js";
import { withSigns } from "../model/signs.js";

const STAGES = { replaying: "replaying", behind: "behind" }; // what is said of a pattern that comes from a stream
const FLASH = 600;
const NARROW = 0.4; // by how much a sign is narrower than a digit

/** One removable chip for each subscription. */
export class Chips {
  #list;
  #remove;
  #past;
  #byPattern = new Map();

  /** `on`: { remove(pattern) its x was pressed, ask(pattern, history) what came before is wanted }. */
  constructor(list, { remove, ask }) {
    this.#list = list;
    this.#remove = remove;
    this.#past = new PastMenu(document.getElementById("past-menu"), ask);
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
    for (const { pattern, count: all, replayed } of subscriptions) {
      const chip = this.#byPattern.get(pattern);
      if (!chip) continue;
      const [now, messages] = [Date.now(), all - replayed];
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

  // However many chips there are, Tab stops at one of their buttons.
  #stopAt(button) {
    for (const { close, past } of this.#byPattern.values()) {
      for (const each of [past, close]) each.tabIndex = each === button ? 0 : -1;
    }
  }

  #key(event) {
    const all = [...this.#list.querySelectorAll("button:not([hidden])")];
    const at = all.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at === -1 || (to === undefined && event.key !== "Delete")) return;
    event.preventDefault();
    if (event.key === "Delete") part(event.target.closest(".chip"), "chip-close").click();
    else all[(to + all.length) % all.length].focus();
  }

  #make({ pattern, hue, count: all, replayed }) {
    const element = fromTemplate("chip-template");
    element.classList.add(`hue-${hue}`);
    const [close, past] = [part(element, "chip-close"), part(element, "chip-past")];
    part(element, "chip-pattern").textContent = withSigns(pattern);
    close.setAttribute("aria-label", `Unsubscribe ${pattern}`);
    close.tabIndex = this.#byPattern.size ? -1 : 0;
    close.addEventListener("click", () => this.#remove(pattern));
    past.setAttribute("aria-label", `What came before, ${pattern}`);
    past.addEventListener("click", () => this.#past.show(past, chip.subscription));
    const chip = { element, close, past, note: part(element, "chip-note"), width: 0, counted: all - replayed, rate: new Rate() };
    this.#byPattern.set(pattern, chip);
    this.#list.append(element);
    bringIntoView(element);
    return chip;
  }

  #fill(chip, subscription) {
    const { state, message, count: messages, stream, stage, silent } = subscription;
    const { element, note, past } = chip;
    chip.subscription = subscription;
    if (state === "refused" && chip.width) widen(chip, 0);
    setText(note, state === "refused" ? message : figures(chip, messages));
    setText(part(element, "chip-stage"), STAGES[stage] ?? silent);
    if (past.hidden === Boolean(stream)) this.#offerPast(chip, stream);
    if (element.dataset.state === state) return;
    element.dataset.state = state;
    element.title = state === "pending" ? "not acknowledged yet" : "";
    if (state === "refused") bringIntoView(element);
  }

  #offerPast({ past, close }, stream) {
    if (past === document.activeElement) close.focus(); // before it goes
    if (past.tabIndex === 0) this.#stopAt(close);
    past.hidden = !stream;
    past.title = stream && `What came before, from the stream ${stream}`;
  }

  // Whoever works by keyboard stays among the chips, or goes back to the field after the last one.
  #drop(pattern, { element, close, past }) {
    const hadFocus = element.contains(document.activeElement);
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    if (neighbour && (close.tabIndex === 0 || past.tabIndex === 0)) this.#stopAt(part(neighbour, "chip-close"));
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
