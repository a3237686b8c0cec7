const NAME = "match";
const PARTS = ".row-subject, .row-text, .latest-subject, .latest-value, .slice"; // what a filter looks at
const MOST = 2_000; // in all that is seen
const MOST_CHARS = 65_536; // of one text

/**
 * Marks what the filter found, in rows and in the detail. Nothing of the page changes for it: where a browser has
 * no CSS.highlights, nothing is marked.
 */
export class Marks {
  #roots;
  #finds = [];
  #due = 0;

  /** `roots`: the elements in which there is something to mark. */
  constructor(roots) {
    this.#roots = roots;
    if (!globalThis.CSS?.highlights) return;
    const observer = new MutationObserver(() => this.#soon());
    for (const root of roots) observer.observe(root, { childList: true, characterData: true, subtree: true });
  }

  /** From now on what these regexes find. */
  show(finds) {
    this.#finds = finds;
    this.#soon();
  }

  #soon() {
    const isIdle = !this.#finds.length && !globalThis.CSS?.highlights?.has(NAME);
    if (this.#due || isIdle) return;
    this.#due = requestAnimationFrame(() => this.#mark());
  }

  #mark() {
    this.#due = 0;
    if (!globalThis.CSS?.highlights) return;
    CSS.highlights.delete(NAME);
    if (!this.#finds.length) return;
    const ranges = [];
    for (const root of this.#roots) {
      for (const part of root.querySelectorAll(PARTS)) {
        if (part.offsetParent) this.#markIn(part, ranges);
      }
    }
    CSS.highlights.set(NAME, new Highlight(...ranges));
  }

  #markIn(root, ranges) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node && ranges.length < MOST; node = walker.nextNode()) {
      if (node.length <= MOST_CHARS) this.#markText(node, ranges);
    }
  }

  #markText(node, ranges) {
    for (const find of this.#finds) {
      for (const { 0: found, index } of node.data.matchAll(find)) {
        if (!found || ranges.length >= MOST) continue;
        const range = new StaticRange({ startContainer: node, startOffset: index, endContainer: node, endOffset: index + found.length });
        ranges.push(range);
      }
    }
  }
}
