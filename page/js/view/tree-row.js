import { fromTemplate, part, roomInRow, setAttribute, setText } from "./dom.js";
import { excerpt } from "../model/excerpt.js";
import { count } from "../model/format.js";
import { rateText } from "../model/rate.js";
import { withSigns } from "../model/signs.js";

/** One line of the tree; the same element shows one node after the other. */
export class TreeRow {
  #cells = {};
  #follow;

  constructor(place) {
    this.element = fromTemplate("tree-template");
    this.element.id = `tree-row-${place}`;
    this.path = null;
    for (const name of ["token", "note", "count", "rate", "stored", "value"]) this.#cells[name] = part(this.element, `tree-${name}`);
    this.#follow = part(this.element, "tree-follow");
  }

  /** Shows a line of the tree; `follows`: "all" of it, "" for nothing, or the pattern that would bring it. */
  show({ path, node, level, place, siblings, open, more }, { selected, follows, last }) {
    const { element } = this;
    const branch = !more && node.children.size > 0;
    this.path = path;
    element.hidden = false;
    setAttribute(element, "class", `tree-row${branch ? " branch" : ""}${more ? " fold" : ""}${follows === "all" ? " followed" : ""}${hueOf(node)}`);
    element.style.setProperty("--level", level - 1);
    for (const [name, value] of [["level", level], ["posinset", place], ["setsize", siblings], ["selected", selected]]) {
      setAttribute(element, `aria-${name}`, value);
    }
    if (branch) setAttribute(element, "aria-expanded", open);
    else element.removeAttribute("aria-expanded");
    const texts = more ? { token: `${count(more)} more` } : textsOf(node, branch, last);
    for (const [name, cell] of Object.entries(this.#cells)) setText(cell, texts[name] ?? "");
    setAttribute(element, "translate", more ? "yes" : "no"); // words, or data
    setAttribute(element, "aria-label", more ? `${count(more)} more under ${path.slice(0, -" more".length) || "all"}` : spoken(node, branch, follows));
    element.title = more ? "" : titleOf(node);
    this.#follow.hidden = more > 0 || !follows || follows === "all";
    setAttribute(this.#follow, "aria-label", `Follow ${follows}`);
  }

  hide() {
    this.path = null;
    this.element.hidden = true;
  }
}

function textsOf({ name, subjects, count: messages, rate, stored }, branch, last) {
  return {
    token: withSigns(name) || "(empty)",
    note: branch ? things(subjects, "subject") : "",
    count: messages ? count(messages) : "",
    rate: rate ? rateText(rate) : "",
    stored: stored ? count(stored) : "",
    value: last ? excerpt(last, [], roomInRow()) : "",
  };
}

function spoken({ name, path, subjects, count: messages, rate, stored, found }, branch, follows) {
  const facts = [
    branch ? `${name}, ${things(subjects, "subject")}` : path,
    messages && things(messages, "message"),
    rate && rateText(rate),
    stored && `${count(stored)} stored`,
    found && !found.stream && !messages && "came by lately",
    follows === "all" && "followed",
  ];
  return facts.filter(Boolean).join(", ");
}

function titleOf({ path, found }) {
  if (!found) return path;
  return found.stream ? `${path}, in the stream ${found.stream}` : `${path}, came by lately`;
}

function hueOf({ row }) {
  return row && row.hue !== null && row.hue !== undefined ? ` hue-${row.hue}` : "";
}

function things(number, name) {
  return `${count(number)} ${name}${number === 1 ? "" : "s"}`;
}
