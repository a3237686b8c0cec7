import { Beginning } from "../model/beginning.js";
import { Columns } from "../model/columns.js";
import { Reversed } from "../model/reversed.js";
import { today } from "../model/time.js";
import { Row } from "./row.js";
import { RowWindow } from "./window.js";

const NONE = -2; // seq of no entry
const DRAGGED = 8; // px: less is a tap
const NEAR = 2; // px: less than this away from the newest is at the newest

/**
 * The message list: a window of recycled rows over a source of entries, `{ length, at(index), indexOf(seq) }`.
 * While it follows it shows the newest, at the bottom or at the top; otherwise it moves only when scrolled.
 */
export class MessageList {
  #viewport;
  #window;
  #source = null; // as it is shown: oldest first, or newest first
  #shown = null; // with its beginning, oldest first
  #given = null;
  #newestFirst = false;
  #following = true;
  #selected = NONE;
  #finds = [];
  #read = { index: 0, seq: NONE }; // the entry that keeps its place when others come or go
  #wandered = false; // away from the newest since the list stands still

  /** `on`: { hold(byReader) the reader wants it still, newest() is back at the newest, pick(entry), repaint() } */
  constructor(viewport, on) {
    this.#viewport = viewport;
    this.#window = new RowWindow(viewport, (place) => new Row(place), () => on.repaint());
    this.on = on;
    this.columns = new Columns(); // values that have columns of their own
    this.#watchPointer();
    this.#watchScroll();
    viewport.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * What the next paint shows: a source, and the one it was filtered from. Unless it follows, what is read now
   * stays where it is.
   */
  show(source, base, following) {
    if (source === this.#given && following === this.#following) return;
    this.#given = source;
    this.#shown = new Beginning(source, base);
    this.#source = this.#newestFirst ? new Reversed(this.#shown) : this.#shown;
    this.#following = following;
    this.#wandered = false;
    this.#settle();
  }

  /** Puts the newest at the top, or at the bottom. */
  set newestFirst(newestFirst) {
    if (newestFirst === this.#newestFirst) return;
    this.#newestFirst = newestFirst;
    this.#source = newestFirst ? new Reversed(this.#shown) : this.#shown;
    this.#toNewest();
    this.#noteWhatIsRead();
    this.on.repaint();
  }

  /** From now on rows show what these regexes find. */
  set finds(finds) {
    this.#finds = finds;
    this.redraw();
  }

  /** The entry that was chosen last, if it is still here. */
  get selected() {
    return this.#source.at(this.#source.indexOf(this.#selected));
  }

  /** Writes each row anew: what rows show of an entry is no longer the same. */
  redraw() {
    this.#window.clear();
    this.on.repaint();
  }

  /** Paints what is in sight: its cost does not grow with the number of messages. */
  paint() {
    this.#settle();
    const shown = { finds: this.#finds, columns: this.columns };
    this.#window.paint(this.#source.length, (row, index) => {
      const entry = this.#source.at(index);
      row.show(entry, index, entry.seq === this.#selected, shown);
    });
    this.#makeRoomForDates();
    this.#pointAtSelected();
  }

  #makeRoomForDates() {
    const { length } = this.#source;
    const isOld = (index) => this.#source.at(index)?.time < today().start;
    this.#viewport.classList.toggle("dated", length > 0 && (isOld(0) || isOld(length - 1)));
  }

  // Since the last paint messages may have come and old ones left, a filter may have found more:
  // what is read has another place now, and the view goes with it.
  #settle() {
    const { length } = this.#source;
    this.#window.stretch(length);
    this.#viewport.setAttribute("aria-rowcount", length + 1);
    if (this.#following) this.#toNewest();
    const { seq, index } = this.#read;
    const now = this.#source.indexOf(seq);
    if (!this.#following && now !== -1) this.#viewport.scrollTop += (now - index) * this.#window.rowHeight;
    this.#noteWhatIsRead();
  }

  // The selected entry if it is in sight, else the one at the upper edge.
  #noteWhatIsRead() {
    const { scrollTop, clientHeight } = this.#viewport;
    const first = Math.floor(scrollTop / this.#window.rowHeight);
    const selected = this.#source.indexOf(this.#selected);
    const inSight = selected >= first && selected < first + Math.floor(clientHeight / this.#window.rowHeight);
    const index = inSight ? selected : first;
    this.#read = { index, seq: this.#source.at(index)?.seq ?? NONE };
  }

  #toNewest() {
    this.#viewport.scrollTop = this.#newestFirst ? 0 : this.#viewport.scrollHeight;
  }

  #pointAtSelected() {
    const row = this.#window.find(({ seq }) => seq === this.#selected);
    if (row) this.#viewport.setAttribute("aria-activedescendant", row.element.id);
    else this.#viewport.removeAttribute("aria-activedescendant");
  }

  // A row shows something else a moment later, so what is meant is settled when the pointer goes down.
  #watchPointer() {
    const rows = this.#viewport.querySelector(".rows");
    let pressed = NONE;
    rows.addEventListener("pointerdown", ({ target, pointerType }) => {
      const element = target.closest(".row");
      pressed = this.#window.find((row) => row.element === element)?.seq ?? NONE;
      if (pointerType !== "touch") this.on.hold(); // a thumb may just rest there
    });
    rows.addEventListener("click", () => this.#select(this.#source.indexOf(pressed), true));
  }

  // Wheel and pointer say what the reader wants before the first pixel moves. That the list scrolled
  // says nothing while it follows: it also does when it gets larger or smaller.
  #watchScroll() {
    const { on } = this;
    this.#viewport.addEventListener("wheel", ({ deltaY }) => {
      const away = this.#newestFirst ? deltaY > 0 : deltaY < 0;
      if (away && this.#viewport.scrollHeight > this.#viewport.clientHeight) on.hold();
    }, { passive: true });
    let touchedAt = 0;
    this.#viewport.addEventListener("touchstart", ({ touches }) => (touchedAt = touches[0].clientY), { passive: true });
    this.#viewport.addEventListener("touchmove", ({ touches }) => {
      const moved = touches[0].clientY - touchedAt;
      const away = this.#newestFirst ? moved < -DRAGGED : moved > DRAGGED;
      if (away && this.#viewport.scrollHeight > this.#viewport.clientHeight) on.hold();
    }, { passive: true });
    this.#viewport.addEventListener("pointerdown", ({ target, offsetX }) => {
      const onScrollBar = target === this.#viewport && offsetX >= this.#viewport.clientWidth;
      if (onScrollBar) on.hold();
    });
    this.#viewport.addEventListener("scroll", () => {
      if (this.#fromNewest() > NEAR) this.#wandered = true;
      else if (!this.#following && this.#wandered) on.newest();
      on.repaint();
    }, { passive: true });
  }

  #fromNewest() {
    const { scrollHeight, scrollTop, clientHeight } = this.#viewport;
    return this.#newestFirst ? scrollTop : scrollHeight - scrollTop - clientHeight;
  }

  /** Does what a key asks for; true if it is one of the list's. */
  press(key) {
    const last = this.#source.length - 1;
    const { page } = this.#window;
    const current = this.#source.indexOf(this.#selected);
    const none = this.#newestFirst ? -1 : last + 1;
    const from = current === -1 ? none : current;
    const target = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      Enter: from,
    }[key];
    if (target === undefined || last < 0) return false;
    this.#select(Math.min(last, Math.max(0, target)), key === "Enter");
    return true;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (this.press(event.key)) event.preventDefault();
  }

  /** Marks an entry that was chosen elsewhere and brings it into sight, if it is here. */
  mark(seq) {
    const index = this.#source.indexOf(seq);
    if (index === -1) return;
    this.#selected = seq;
    this.on.hold(true);
    this.#window.bringIntoView(index);
    this.on.repaint();
  }

  #select(index, open) {
    const entry = index === -1 ? undefined : this.#source.at(index);
    if (!entry) return;
    this.mark(entry.seq);
    this.on.pick(entry, open);
  }
}
