import { part, setText } from "./dom.js";
import { PlotPicture } from "./plot-picture.js";
import { pathText } from "../model/json-path.js";
import { extent, extremes, inWords } from "../model/plot.js";
import { Series, exactText } from "../model/series.js";
import { withSigns } from "../model/signs.js";
import { momentExact } from "../model/time.js";

const SHARE = 6; // ms of a frame

/** A number of the payload over time, for as long as it is open. */
export class Plot {
  #section;
  #source;
  #on;
  #series = null;
  #token = null;
  #seq = -1;
  #looked = false; // whether all there is has been read once
  #due = 0; // the frame that goes on reading
  #picture;

  /** `source()` is where the messages are; `on`: { changed(open), closed(), pick(entry), more(token, element) }. */
  constructor(section, source, on) {
    this.#section = section;
    this.#source = source;
    this.#on = on;
    this.#picture = new PlotPicture(part(section, "plot-picture"), {
      pick: (point) => on.pick(point.entry),
      point: (point) => this.#tell(point),
    });
    part(section, "plot-close").addEventListener("click", () => this.close());
    part(section, "plot-more").addEventListener("click", ({ currentTarget }) => on.more(this.#token, currentTarget));
  }

  get open() {
    return !this.#section.hidden;
  }

  /** Plots the number at the place of `token` in the messages of the subject of `entry`; returns it in words. */
  show(entry, token) {
    this.#series = new Series(entry.subject, token.place);
    cancelAnimationFrame(this.#due);
    this.#due = 0;
    this.#token = token;
    this.#seq = entry.seq;
    this.#looked = false;
    this.#section.hidden = false;
    this.#on.changed(true);
    setText(part(this.#section, "plot-name"), this.#name);
    this.update();
    this.#section.scrollIntoView({ block: "nearest" });
    return inWords(this.#name, this.#series.points, this.#text, this.#series.cut);
  }

  /** Another message is shown in the detail: its point is marked, or the plot closed if it is of another subject. */
  mark({ subject, seq }) {
    this.#seq = seq;
    if (this.open && subject !== this.#series.subject) this.#hide();
    else if (this.open) this.#draw();
  }

  close() {
    if (!this.open) return;
    this.#hide();
    this.#on.closed();
  }

  /** Reads what has come, and draws it; in several frames if it is much. */
  update() {
    if (!this.open || this.#due || document.hidden) return;
    const read = this.#series.scan(this.#source(), performance.now() + SHARE);
    if (read || this.#looked) this.#draw();
    this.#looked ||= read;
    if (!read) this.#due = requestAnimationFrame(() => this.#goOn());
  }

  #goOn() {
    this.#due = 0;
    this.update();
  }

  #hide() {
    this.#section.hidden = true;
    this.#on.changed(false);
    this.#series = null;
    cancelAnimationFrame(this.#due);
    this.#due = 0;
    this.#picture.clear();
  }

  get #name() {
    return withSigns(pathText(this.#series.place)) || "value";
  }

  #draw() {
    const { points, cut } = this.#series;
    this.#picture.draw(points, this.#seq, inWords(this.#name, points, this.#text, cut));
    setText(part(this.#section, "plot-note"), extent(points, cut));
    part(this.#section, "plot-figures").hidden = !points.length;
    if (points.length) this.#showFigures(extremes(points), points.at(-1));
  }

  #showFigures({ low, high }, last) {
    setText(part(this.#section, "plot-low"), this.#text(low));
    setText(part(this.#section, "plot-high"), this.#text(high));
    setText(part(this.#section, "plot-last"), this.#text(last));
  }

  #text = (point) => exactText(point, this.#series.place);

  #tell(point) {
    return `${this.#text(point)} · ${momentExact(point.time)}`;
  }
}
