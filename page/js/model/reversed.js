/** A source of entries read from its other end: the newest is at 0. */
export class Reversed {
  #source;

  constructor(source) {
    this.#source = source;
  }

  get length() {
    return this.#source.length;
  }

  at(index) {
    return this.#source.at(this.length - 1 - index);
  }

  indexOf(seq) {
    const index = this.#source.indexOf(seq);
    return index === -1 ? -1 : this.length - 1 - index;
  }
}
