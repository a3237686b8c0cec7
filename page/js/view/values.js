import { indent } from "../model/json-view.js";
import { samePlace } from "../model/json-path.js";
import { Folding } from "./folding.js";
import { signed } from "./signed.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/**
 * The values of a JSON text, each of which can be pressed. The arrow keys go from one to the next,
 * Enter and a click press one; the context menu, or a click on its key, asks what else there is.
 */
export class Values {
  #panel;
  #on;
  #tokens = new WeakMap(); // of elements

  /**
   * `on`: { press(token, element), ask(token, element), at(token) that has the focus, fold(…), whole(…) as in folding.js };
   * a key that has no plain value asks for itself.
   */
  constructor(panel, on) {
    this.#panel = panel;
    this.#on = on;
    this.folding = new Folding(panel, { ...on, placeOf: (element) => this.#tokens.get(element)?.place });
    panel.addEventListener("focusin", ({ target }) => on.at(this.#tokens.get(target)));
    panel.addEventListener("click", (event) => this.#click(event));
    panel.addEventListener("contextmenu", (event) => this.#contextMenu(event));
    panel.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The nodes of lines of tokens. */
  nodes(lines) {
    return lines.flatMap((line, place) => [
      (place ? "\n" : "") + indent(line.depth),
      ...(line.opens === undefined ? [] : [this.folding.sign(line)]),
      ...line.tokens.map((token) => this.#node(token)),
    ]);
  }

  #node(token) {
    if (token.kind === "fold" || token.kind === "rest") return this.folding.rest(token);
    const span = colouredNode(token);
    if (token.kind === "mark") return span;
    if (token.kind !== "key") {
      span.setAttribute("role", "button");
      span.tabIndex = -1;
    }
    this.#tokens.set(span, token);
    return span;
  }

  #click(event) {
    const target = wholeOf(event.target);
    const token = this.#tokens.get(target);
    if (!token || !getSelection().isCollapsed) return; // whoever marks text does not press
    if (token.kind === "key") this.#askOfKey(token, target);
    else this.#on.press(token, target);
  }

  #askOfKey(token, element) {
    const value = element.nextElementSibling;
    const valueToken = this.#tokens.get(value);
    const plain = valueToken && samePlace(valueToken.place, token.place);
    this.#on.ask(plain ? valueToken : token, plain ? value : element);
  }

  #contextMenu(event) {
    const target = wholeOf(event.target);
    const token = this.#tokens.get(target);
    if (!token || !getSelection().isCollapsed) return;
    event.preventDefault();
    if (token.kind === "key") this.#askOfKey(token, target);
    else this.#on.ask(token, target);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { target, key } = event;
    if (STEPS[key]) {
      const next = this.#next(target, STEPS[key]);
      if (!next) return;
      event.preventDefault();
      next.focus();
    } else if ((key === "Enter" || key === " ") && target !== this.#panel && this.#tokens.has(target)) {
      event.preventDefault();
      this.#on.press(this.#tokens.get(target), target);
    }
  }

  // From the panel itself the first value in sight.
  #next(target, step) {
    const isThere = (value) => value === target || value.className !== "fold-sign";
    const values = [...this.#panel.querySelectorAll("[role=button]")].filter(isThere);
    if (target !== this.#panel) return values[values.indexOf(target) + step];
    const { top } = this.#panel.getBoundingClientRect();
    return values.find((value) => value.getBoundingClientRect().top >= top);
  }
}

/** The same nodes in colour, which cannot be pressed. */
export function coloured(lines) {
  return lines.flatMap(({ depth, tokens }, place) => [(place ? "\n" : "") + indent(depth), ...tokens.map(colouredNode)]);
}

function colouredNode({ kind, text }) {
  if (kind === "mark") return text;
  const span = document.createElement("span");
  span.className = `json-${kind}`;
  span.append(...signed(text));
  return span;
}

// A sign is a part of its value.
function wholeOf(element) {
  return element.closest(".sign")?.parentElement ?? element;
}
