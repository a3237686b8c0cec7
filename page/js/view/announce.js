const REST = 2_000;

/** Speaks through one polite live region: at most a sentence every 2 s, the last one wins. */
export class Announcer {
  #node;
  #next = "";
  #timer = 0;

  constructor(node) {
    this.#node = node;
  }

  say(sentence) {
    this.#next = sentence;
    if (!this.#timer) this.#speak();
  }

  #speak() {
    this.#timer = 0;
    if (!this.#next) return;
    this.#node.textContent = this.#next;
    this.#next = "";
    this.#timer = setTimeout(() => this.#speak(), REST);
  }
}
