import { part, setText } from "./dom.js";
import { count } from "../model/format.js";

/**
 * What the reader looks at: the stream as it comes, or a copy that stands still while the newest go on
 * being received and kept.
 */
export class Reading {
  #feed;
  #shown;
  #list;
  #tables;
  #changed;
  #pause = null; // { received, byScrolling } while the list stands still

  /** `tables`: the views of the subject table. `changed()` is called after each change. */
  constructor({ feed, shown, list, tables, changed }) {
    this.#feed = feed;
    this.#shown = shown;
    this.#list = list;
    this.#tables = tables;
    this.#changed = changed;
    this.isFile = false; // what is looked at comes from a file
  }

  get paused() {
    return this.#pause !== null;
  }

  /** How many messages came since the list stands still. */
  get arrived() {
    return this.#pause ? this.#feed.received - this.#pause.received : 0;
  }

  /** Whether some of them have already had to make room for newer ones. */
  get unseen() {
    return this.arrived > this.#feed.ring.kept;
  }

  /** Stands still. Unless the reader asked for it by other means than scrolling, scrolling back ends it. */
  hold(byReader = false) {
    if (!this.#pause) {
      this.#pause = { received: this.#feed.received, byScrolling: true };
      this.#shown.show(this.#feed.ring.snapshot());
      this.#showTable(this.#feed.table.snapshot());
    }
    if (byReader) this.#pause.byScrolling = false;
    this.refresh();
    this.#changed();
  }

  /** Shows what is in a file, `{ source, table }`, as it would stand still. */
  open({ source, table }) {
    this.#pause ??= { received: this.#feed.received, byScrolling: false };
    this.#pause.byScrolling = false;
    this.isFile = true;
    this.#list.redraw();
    this.#shown.show(source);
    this.#showTable(table);
    this.refresh();
    this.#changed();
  }

  resume() {
    this.#pause = null;
    if (this.isFile) this.#list.redraw(); // other messages have the same numbers
    this.isFile = false;
    this.#shown.show(this.#feed.ring);
    this.#showTable(this.#feed.table);
    this.refresh();
    this.#changed();
  }

  toggle() {
    if (this.paused) this.resume();
    else this.hold(true);
  }

  #showTable(table) {
    for (const each of this.#tables) each.show(table);
  }

  /** The list is back at the newest by scrolling. */
  scrolledBack() {
    if (this.#pause?.byScrolling) this.resume();
  }

  /** Forgets all messages; returns how many, and a function that brings them back. */
  clear() {
    const { ring, table } = this.#feed;
    const { kept } = ring;
    const undos = [ring.clear(), table.clear()];
    this.#pause = null;
    this.resume();
    return {
      kept,
      undo: () => {
        for (const undo of undos) undo();
        this.resume();
      },
    };
  }

  /** Keeps at most `count` entries from now on, and `chars` characters of them. */
  keep({ count, chars }) {
    this.#feed.ring.resize(count, chars);
    if (!this.paused) this.#shown.show(this.#feed.ring);
  }

  /** Says on the button what it does. */
  name(button) {
    setText(part(button, "pause-word"), this.paused ? `Resume (${count(this.arrived)} new)` : "Pause");
    button.classList.toggle("primary", this.paused);
  }

  /** Hands on to the list what the filter has found by now. */
  refresh() {
    this.#list.show(this.#shown.source, this.#shown.base, !this.paused);
  }
}
