import { count } from "./format.js";

const SEQ = -1;

/** A source of entries, with a note before the first where older messages than those of `base` had to leave. */
export class Beginning {
  #source;
  #base;

  constructor(source, base) {
    this.#source = source;
    this.#base = base;
  }

  get length() {
    return this.#source.length + this.#shift;
  }

  at(index) {
    return this.#shift && index === 0 ? this.#note : this.#source.at(index - this.#shift);
  }

  indexOf(seq) {
    if (seq === SEQ) return this.#shift - 1;
    const index = this.#source.indexOf(seq);
    return index === -1 ? -1 : index + this.#shift;
  }

  get #shift() {
    return Number(this.#base.gone > 0);
  }

  get #note() {
    const { gone } = this.#base;
    const text = gone === 1 ? "1 message before this was not kept" : `${count(gone)} messages before this were not kept`;
    return { kind: "note", seq: SEQ, raw: "", text, time: this.#source.at(0)?.time };
  }
}
