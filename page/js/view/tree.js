import { SubjectTree, patternsOf } from "../model/subject-tree.js";
import { TreeRow } from "./tree-row.js";
import { RowWindow } from "./window.js";

const FIGURES_EVERY = 250; // ms
const BUILT_EVERY = 500; // or, if that takes long, twenty times as long
const NOTHING = { rows: [], version: 0 };

/** The Tree view: the subjects of a table `{ rows, version }`, and others that were found, by their parts. */
export class Tree {
  #grid;
  #on;
  #window;
  #table = NOTHING;
  #found = new Map();
  #lastOf = null;
  #tree = new SubjectTree();
  #lines = [];
  #selected = null; // a path: a line may be anywhere a moment later
  #version = -1;
  #stale = true; // it has to be built anew
  #builtAt = 0;
  #cost = 0; // ms
  #paintedAt = 0;
  #touched = true;

  /**
   * `on`: { open(row) a subject of which there are messages, follow(patterns), followed(patterns) says whether they are,
   * mayFollow(pattern), menu(node, anchor), repaint() }
   */
  constructor(section, on) {
    this.#grid = section.querySelector("[role=tree]");
    this.#on = on;
    this.#window = new RowWindow(this.#grid, (place) => new TreeRow(place), () => this.#touch());
    this.visible = false;
    this.#grid.addEventListener("scroll", () => this.#touch(), { passive: true });
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
    this.#watchPointer();
  }

  /** What the next paint shows: the table itself, or a copy that stands still. */
  show(table) {
    this.#table = table;
    this.#renew();
  }

  /** Takes what was found: name → `{ messages, stream }`. */
  take(found) {
    this.#found = found;
    this.#renew();
  }

  /** Shows only subjects for which `lastOf(row)` has a message, and what was found; null for all. */
  filter(lastOf, anew) {
    this.#lastOf = lastOf;
    if (anew) this.#renew();
  }

  /** Whether there is nothing in it. */
  get empty() {
    return !this.#tree.whole.subjects;
  }

  /** Paints what is in sight if it is time to. */
  paint() {
    if (!this.visible) return;
    const now = performance.now();
    const isOther = this.#table.version !== this.#version && now - this.#builtAt >= Math.max(BUILT_EVERY, 20 * this.#cost);
    if (this.#stale || isOther) this.#build(now);
    if (!this.#touched && now - this.#paintedAt < FIGURES_EVERY) return;
    this.#touched = false;
    this.#paintedAt = now;
    this.#tree.refresh();
    this.#window.paint(this.#lines.length, (row, index) => this.#fill(row, this.#lines[index]));
    const current = this.#window.find(({ path }) => path !== null && path === this.#selected);
    if (current) this.#grid.setAttribute("aria-activedescendant", current.element.id);
    else this.#grid.removeAttribute("aria-activedescendant");
  }

  #fill(row, line) {
    const { node, path, more } = line;
    const last = node.row && !node.children.size && !more ? (this.#lastOf?.(node.row) ?? node.row.last) : null;
    row.show(line, { selected: path === this.#selected, follows: more ? "" : this.#follows(node), last });
  }

  #follows(node) {
    const patterns = patternsOf(node);
    if (this.#on.followed(patterns)) return "all";
    return patterns.every(this.#on.mayFollow) ? patterns.join(" ") : "";
  }

  #renew() {
    this.#stale = true;
    this.#touch();
  }

  #touch() {
    this.#touched = true;
    this.#on.repaint();
  }

  #build(now) {
    const rows = this.#lastOf ? this.#table.rows.filter(this.#lastOf) : this.#table.rows;
    this.#tree.build(rows, this.#found);
    this.#version = this.#table.version;
    this.#stale = false;
    this.#builtAt = now;
    this.#cost = performance.now() - now;
    this.#list();
  }

  #list() {
    this.#lines = this.#tree.lines;
    this.#window.stretch(this.#lines.length); // at once: a line at the end may be scrolled to before the next paint
    this.#touch();
  }

  #watchPointer() {
    let pressed = null; // what is meant is settled when the pointer goes down
    const lineAt = (target) => {
      const element = target.closest(".tree-row");
      const path = this.#window.find((row) => row.element === element)?.path;
      return this.#lines.find((line) => line.path === path);
    };
    this.#grid.addEventListener("pointerdown", ({ target }) => (pressed = lineAt(target) ?? null));
    this.#grid.addEventListener("click", ({ target }) => {
      this.#grid.focus({ preventScroll: true }); // the keyboard goes on where the pointer was
      if (!pressed) return;
      this.#select(pressed.path);
      if (target.closest(".tree-follow")) this.#follow(pressed);
      else this.#act(pressed);
    });
    this.#grid.addEventListener("contextmenu", (event) => {
      const line = event.target === this.#grid ? this.#line : lineAt(event.target);
      if (!line || line.more) return;
      event.preventDefault();
      this.#grid.focus({ preventScroll: true });
      this.#select(line.path);
      this.#on.menu(line.node, this.#rowOf(line.path)?.querySelector(".tree-token") ?? this.#grid);
    });
  }

  #rowOf(path) {
    return this.#window.find((row) => row.path === path)?.element;
  }

  get #line() {
    return this.#lines.find(({ path }) => path === this.#selected);
  }

  /** Does what a key asks for; true if it is one of the view's. */
  press(key) {
    const line = this.#line;
    const at = line ? this.#lines.indexOf(line) : -1;
    const { page } = this.#window;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: this.#lines.length - 1 }[key];
    if (to !== undefined) this.#select(this.#lines[Math.max(0, Math.min(to, this.#lines.length - 1))]?.path);
    else if (!line) return ["Enter", "ArrowLeft", "ArrowRight"].includes(key);
    else if (key === "Enter") this.#act(line);
    else if (key === "+") this.#follow(line);
    else if (key === "ArrowRight") this.#goIn(line, at);
    else if (key === "ArrowLeft") this.#goOut(line);
    else return false;
    return true;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (this.press(event.key)) event.preventDefault();
  }

  #goIn(line, at) {
    if (line.open) this.#select(this.#lines[at + 1].path);
    else if (!line.more && line.node.children.size) this.#turn(line, true);
  }

  #goOut({ open, node, more, ...line }) {
    if (open) this.#turn({ node, ...line }, false);
    else this.#select(more ? node.path : node.parent.path);
  }

  // What is hidden cannot be where the keyboard is.
  #select(path) {
    if (!path) return;
    this.#selected = path;
    this.#window.bringIntoView(this.#lines.findIndex((line) => line.path === path));
    this.#touch();
  }

  #act(line) {
    const { node, more, open } = line;
    if (more) {
      const at = this.#lines.indexOf(line);
      this.#tree.unfold(node);
      this.#list();
      this.#select(this.#lines[at].path); // the first of those that are new
    } else if (node.children.size) this.#turn(line, !open);
    else if (node.row) this.#on.open(this.#lastOf?.(node.row) ?? node.row.last);
    else this.#follow(line);
  }

  #turn({ node }, open) {
    this.#tree.turn(node, open);
    this.#list();
  }

  #follow({ node, more }) {
    const follows = more ? "all" : this.#follows(node);
    if (follows && follows !== "all") this.#on.follow(patternsOf(node));
  }
}
