import { part, setText } from "./dom.js";
import { bytes } from "../model/format.js";
import { payloadOf, sizeText } from "../model/payload.js";

const MOST = 100; // subjects
const AS_IT_IS = "none";
const ARROW = " → ";

/** What is in the bytes of a message that is no text, as the reader wants it read for its subject. */
export class Decoded {
  #select;
  #tab;
  #load;
  #changed;
  #ways = new Map(); // subject → what the reader chose
  #message = null;
  #round = 0;

  /** `load()` brings decode.js, when it is needed; `changed()` is called when it is known what is in a message. */
  constructor(dialog, load, changed) {
    this.#select = part(dialog, "read-as");
    this.#tab = dialog.querySelector("#tab-decoded");
    this.#load = load;
    this.#changed = changed;
    this.found = null; // { text, isJson, size, bytes }
    this.note = ""; // a sentence
    this.#select.addEventListener("change", () => {
      this.#choose(this.#select.value);
      this.read(this.#message);
      changed();
    });
  }

  /** Another message is there; what is in it comes later. */
  read(message) {
    this.#message = message;
    this.#round += 1;
    this.found = null;
    this.note = "";
    this.#select.hidden = message.encoding !== "base64";
    const as = this.#ways.get(message.subject) ?? "";
    this.#select.value = as;
    if (!this.#select.hidden && as !== AS_IT_IS) this.#find(this.#round, as);
  }

  #choose(as) {
    const { subject } = this.#message;
    this.#ways.delete(subject);
    this.#ways.set(subject, as);
    if (this.#ways.size > MOST) this.#ways.delete(this.#ways.keys().next().value);
  }

  async #find(round, as) {
    const message = this.#message;
    const [, type = ""] = message.headers?.find(([name]) => name.toLowerCase() === "content-type") ?? [];
    let found = null;
    let note = "";
    try {
      const { decode } = await this.#load();
      found = await decode(payloadOf(message), { as, type });
    } catch ({ message: reason, at }) {
      note = at === undefined ? `It cannot be read here: ${reason}.` : `Not ${as}: ${reason}, at byte ${at + 1}.`;
    }
    if (round !== this.#round) return;
    this.found = found;
    this.note = found ? [this.#describe(found), found.note].filter(Boolean).join(". ") : note;
    if (found) setText(this.#tab, found.names.at(-1));
    if (found || note) this.#changed();
  }

  #describe({ names, size }) {
    const before = sizeText(this.#message);
    return names.length > 1 ? `${names.join(ARROW)}, ${before}${ARROW}${bytes(size)}` : `${names[0]}, ${before}`;
  }
}
