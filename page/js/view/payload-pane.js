import { Compare } from "./compare.js";
import { Decoded } from "./decoded.js";
import { part, setText } from "./dom.js";
import { Paper } from "./paper.js";
import { bytesSlices, comparison, decodedSlices, hexSlices, prettySlices, rawSlices } from "./slices.js";
import { Tabs } from "./tabs.js";
import { Values, coloured } from "./values.js";
import { Folds } from "../model/folds.js";
import { bytes } from "../model/format.js";
import { LINE as HEX_LINE } from "../model/hex.js";
import { pathText } from "../model/json-path.js";
import { fullText, sizeText } from "../model/payload.js";

const FIGURE = 0.61; // width of a character, of its size
const DEFAULT = { json: "pretty", text: "raw", base64: "hex" };

/** The payload of a message in tabs, one below the other what is long. */
export class PayloadPane {
  #dialog;
  #on;
  #tabs;
  #paper;
  #values;
  #decoded;
  #folds = new Folds();
  #message = null;
  #compare;
  #other = undefined; // with which it is compared
  #wanted = ""; // the tab the reader chose last
  #chosen = "";

  /** `on`: { older(message), pinned() messages, filtered() whether there is a filter, decoder() loads decode.js, plot(token, element), ask(token, element), chosen() a tab }. */
  constructor(dialog, on) {
    this.#dialog = dialog;
    this.#on = on;
    const panel = part(dialog, "detail-payload");
    this.#tabs = new Tabs(part(dialog, "tabs"), panel, (name) => this.#choose(name));
    this.#paper = new Paper(panel, () => this.#tellMore());
    this.#values = new Values(panel, {
      press: (token, element) => (token.kind === "number" ? on.plot(token, element) : on.ask(token, element)),
      ask: on.ask,
      at: (token) => this.#tellPlace(token),
      fold: (place, level, element) => this.#fold(element, () => (level ? this.#folds.toggleLevel(place) : this.#folds.toggle(place))),
      whole: (place) => this.#fold(panel, () => this.#folds.showWhole(place)),
    });
    this.#compare = new Compare(dialog, on, () => this.#draw());
    this.#decoded = new Decoded(dialog, on.decoder, () => this.#draw());
    part(dialog, "detail-all").addEventListener("click", () => this.#showAll(panel));
  }

  show(message) {
    if (message.subject !== this.#message?.subject) this.#folds = new Folds();
    if (this.#on.filtered()) this.#folds.showAllWhole(); // what was found is in sight
    this.#message = message;
    this.#decoded.read(message);
    this.#draw();
  }

  /** Compares the message with the one that was open before; false if there is none. */
  compare() {
    if (!this.#compare.withLast()) return false;
    this.#choose("diff");
    return true;
  }

  /** Shows all of the payload, with nothing folded. */
  open() {
    if (this.#chosen === "pretty" && this.#folds.open()) this.#draw();
    this.#paper.showAll();
  }

  #fold(element, change) {
    change();
    this.#paper.exchange(this.#view().slices, element, () => this.#values.folding.find(element));
  }

  #tellPlace(token) {
    const element = part(this.#dialog, "detail-path");
    const path = token ? pathText(token.place) : "";
    setText(element, path);
    element.hidden = !path;
  }

  #choose(name) {
    this.#wanted = name;
    this.#draw();
    this.#on.chosen();
  }

  #draw() {
    const { encoding } = this.#message;
    const { found } = this.#decoded;
    this.#other = this.#compare.with(this.#message);
    const names = [found && "decoded", encoding === "json" && "pretty", "raw", this.#other && "diff", "hex"].filter(Boolean);
    this.#chosen = names.includes(this.#wanted) ? this.#wanted : found ? "decoded" : DEFAULT[encoding];
    this.#tabs.show(names, this.#chosen);
    part(this.#dialog, "detail-payload").dataset.view = this.#chosen;
    this.#compare.show(this.#chosen === "diff");
    const { slices, note = this.#decoded.note } = this.#view();
    const element = part(this.#dialog, "detail-note");
    setText(element, note);
    element.hidden = !note;
    this.#tellPlace(null);
    this.#paper.show(slices);
  }

  #view() {
    if (this.#chosen === "decoded") return { slices: this.#decodedSlices() };
    if (this.#chosen === "diff") return comparison(this.#other, this.#message);
    if (this.#chosen === "hex") return { slices: hexSlices(this.#message, this.#across()) };
    if (this.#chosen === "raw") return { slices: rawSlices(this.#message) };
    return { slices: prettySlices(this.#message, (lines) => this.#values.nodes(lines), this.#folds) };
  }

  #decodedSlices() {
    const { found } = this.#decoded;
    return found.bytes ? bytesSlices(found.bytes, this.#across()) : decodedSlices(found, coloured);
  }

  // Bytes on a line: what a line is good for is seeing all of it.
  #across() {
    const panel = part(this.#dialog, "detail-payload");
    const { fontSize, paddingLeft } = getComputedStyle(panel);
    const room = panel.clientWidth - 2 * parseFloat(paddingLeft);
    return room >= HEX_LINE * FIGURE * parseFloat(fontSize) ? 16 : 8;
  }

  #tellMore() {
    const { complete, hasMore, size } = this.#paper;
    part(this.#dialog, "detail-more").hidden = complete;
    if (complete) return;
    const rest = hasMore ? "" : " Download has all of it.";
    setText(part(this.#dialog, "detail-part"), `The first ${bytes(size)} of ${this.#whole()}.${rest}`);
    part(this.#dialog, "detail-all").hidden = !hasMore;
  }

  #whole() {
    if (this.#chosen === "decoded") return bytes(this.#decoded.found.size);
    return this.#chosen === "raw" ? bytes(fullText(this.#message).length) : sizeText(this.#message);
  }

  // The button may go away with the focus on it.
  #showAll(panel) {
    panel.focus();
    this.#paper.showAll();
  }
}
