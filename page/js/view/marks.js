const NAME = "match";
const HERE = "match-here"; // the one to which the reader went
const PARTS = ".row-subject, .row-text, .latest-subject, .latest-value, .slice"; // what a filter looks at
const MOST = 2_000; // in all that is seen
const MOST_CHARS = 65_536; // of one text
const LOOKS = 8; // frames until a mark has come into sight

/**
 * Marks what the filter found, in rows and in the detail, and goes from mark to mark there. Nothing of the page
 * changes for it: where a browser has no CSS.highlights, nothing is marked.
 */
export class Marks {
  #roots;
  #detail;
  #announcer;
  #finds = [];
  #sought = null; // in the detail in place of these
  #due = 0;
  #inDetail = []; // what is marked there: { part, start, range }
  #here = null; // one of them, or one like it: a part is drawn anew when it comes near

  /** `rows` and `detail`: the elements in which there is something to mark. */
  constructor(rows, detail, announcer) {
    this.#roots = [detail, ...rows];
    this.#detail = detail;
    this.#announcer = announcer;
    this.work = Boolean(globalThis.CSS?.highlights);
    this.counted = () => {}; // is told in the detail which mark one is at, 0 being none, of how many, and whether there are more
    if (!this.work) return;
    const observer = new MutationObserver(() => this.#soon());
    for (const root of this.#roots) observer.observe(root, { childList: true, characterData: true, subtree: true });
  }

  /** From now on what these regexes find. */
  set finds(finds) {
    this.#finds = finds;
    this.#soon();
  }

  /** In the detail marks what this regex finds, and nothing else; null for what the filter finds. */
  set sought(sought) {
    this.#sought = sought;
    this.#here = null;
    this.#soon();
  }

  /** Goes to the next mark in the detail, or for -1 to the one before; false if there is none. */
  step(by) {
    if (this.#due) this.#mark(); // what is drawn has changed
    const { length } = this.#inDetail;
    if (!length || !this.#detail.offsetParent) return false;
    const from = this.#inDetail.findIndex((mark) => isSame(mark, this.#here));
    const to = from === -1 ? (by > 0 ? 0 : length - 1) : (from + by + length) % length;
    this.#here = this.#inDetail[to];
    show(HERE, [this.#here]);
    this.#approach(this.#here);
    this.#announcer.say(`Match ${to + 1} of ${length}`);
    this.counted(to + 1, length, length === MOST);
    return true;
  }

  // On the way there parts are drawn anew, and get another height.
  #approach(mark, looks = LOOKS) {
    if (!looks || !isSame(mark, this.#here)) return;
    const now = this.#inDetail.find((each) => isSame(each, mark));
    if (now) bringIntoView(now.range, this.#detail);
    requestAnimationFrame(() => this.#approach(mark, looks - 1));
  }

  #soon() {
    const isIdle = !this.#finds.length && !this.#sought && !globalThis.CSS?.highlights?.has(NAME);
    if (this.#due || isIdle) return;
    this.#due = requestAnimationFrame(() => this.#mark());
  }

  #mark() {
    cancelAnimationFrame(this.#due);
    this.#due = 0;
    if (!this.work) return;
    const marks = [];
    this.#inDetail = [];
    for (const root of this.#roots) {
      const finds = root === this.#detail && this.#sought ? [this.#sought] : this.#finds;
      for (const part of finds.length ? root.querySelectorAll(PARTS) : []) {
        if (part.offsetParent) markIn(part, marks, finds);
      }
      if (root === this.#detail) this.#inDetail = [...marks];
    }
    if (this.#sought) this.counted(this.#inDetail.findIndex((mark) => isSame(mark, this.#here)) + 1, this.#inDetail.length, this.#inDetail.length === MOST);
    show(HERE, this.#inDetail.filter((mark) => isSame(mark, this.#here)));
    show(NAME, marks);
  }
}

// What is found may begin in one element and end in another: a key and its value.
function markIn(part, marks, finds) {
  const text = part.textContent;
  if (text.length > MOST_CHARS) return;
  const places = finds.flatMap((find) => Array.from(text.matchAll(find), ({ 0: found, index }) => [index, index + found.length]));
  if (!places.length) return;
  const nodes = textNodes(part);
  for (const [start, end] of places.sort(([one], [other]) => one - other)) {
    if (start < end && marks.length < MOST) marks.push({ part, start, range: rangeOf(nodes, start, end) });
  }
}

function textNodes(part) {
  const nodes = [];
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(), at = 0; node; node = walker.nextNode()) {
    nodes.push({ node, start: at, end: (at += node.length) });
  }
  return nodes;
}

function rangeOf(nodes, start, end) {
  const first = nodes.find((each) => each.end > start);
  const last = nodes.find((each) => each.end >= end);
  return new StaticRange({ startContainer: first.node, startOffset: start - first.start, endContainer: last.node, endOffset: end - last.start });
}

function isSame({ part, start }, other) {
  return part === other?.part && start === other.start;
}

function show(name, marks) {
  if (!marks.length) return CSS.highlights.delete(name);
  const highlight = new Highlight(...marks.map(({ range }) => range));
  highlight.priority = Number(name === HERE); // it is one of the others, too
  return CSS.highlights.set(name, highlight);
}

function bringIntoView({ startContainer, startOffset, endContainer, endOffset }, panel) {
  const range = new Range();
  range.setStart(startContainer, startOffset);
  range.setEnd(endContainer, endOffset);
  const { top, bottom, height } = range.getBoundingClientRect();
  const frame = panel.getBoundingClientRect();
  // What is not drawn has no place; its part is near.
  if (!height) startContainer.parentElement?.scrollIntoView({ block: "nearest" });
  else if (top < frame.top || bottom > frame.bottom) panel.scrollTop += top - frame.top - frame.height / 3;
}
