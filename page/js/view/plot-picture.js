import { svg } from "./svg.js";
import { axisText, extremes, nearest, scale, thin, ticks, timeEnds } from "../model/plot.js";

const HEIGHT = 148;
const EDGE = { top: 22, right: 10, bottom: 20, left: 8 };
const CHAR = 6.4; // px of a figure on the axis
const GAP = 8; // between the figures and the line
const MOST_POINTS = 1_000; // more are drawn as lowest and highest of each stretch
const MOST_DOTS = 80;

/** A line through points, as wide as its place. */
export class PlotPicture {
  #host;
  #on;
  #all = [];
  #points = []; // those that are drawn
  #seq = -1;
  #words = "";
  #state = ""; // of what is drawn
  #place = null; // x and y of what is drawn
  #pointer = null; // [x, y] of the pointer while it is here
  #pointed = svg("g");

  /** `on`: { pick(point) it was pressed, point(point) what to write at it }. */
  constructor(host, on) {
    this.#host = host;
    this.#on = on;
    new ResizeObserver(() => this.#all.length && this.#paint()).observe(host);
    host.addEventListener("pointermove", (event) => this.#point(this.#within(event)));
    host.addEventListener("pointerleave", () => this.#point(null));
    host.addEventListener("click", (event) => this.#points.length && on.pick(this.#at(this.#within(event))));
  }

  /** Draws points `{ time, value, entry }`; that of the entry `seq` is marked. `words` say what is to be seen. */
  draw(points, seq, words) {
    const state = [points.length, points[0]?.entry.seq, points.at(-1)?.entry.seq, seq, words].join();
    if (state === this.#state) return;
    this.#state = state;
    this.#all = points;
    this.#seq = seq;
    this.#words = words;
    this.#paint();
  }

  clear() {
    this.#all = this.#points = [];
    this.#state = "";
    this.#host.replaceChildren();
  }

  #paint() {
    const width = this.#host.clientWidth;
    if (!this.#all.length || !width) return this.#host.replaceChildren();
    this.#points = thin(this.#all, Math.min(MOST_POINTS, width)); // a peak and a valley for every two pixels
    const { low, high } = extremes(this.#points);
    const marks = ticks(low.value, high.value);
    const margin = EDGE.left + Math.max(...marks.map((mark) => axisText(mark).length)) * CHAR;
    const [left, right] = [margin + GAP, width - EDGE.right];
    const box = { left, right, top: EDGE.top, bottom: HEIGHT - EDGE.bottom };
    this.#place = { ...scale(this.#points, box), box };
    const drawn = [...this.#axes(marks, margin), ...this.#times(), ...this.#line(), ...this.#dots(), this.#pointed];
    this.#host.replaceChildren(svg("svg", { width, height: HEIGHT, role: "img", "aria-label": this.#words }, ...drawn));
    this.#point(this.#pointer);
  }

  #axes(marks, margin) {
    const { y, box } = this.#place;
    return marks.flatMap((mark) => [
      svg("path", { class: "plot-grid", d: `M${box.left} ${y(mark)}H${box.right}` }),
      svg("text", { class: "plot-tick", x: margin, y: y(mark) + 4, "text-anchor": "end" }, axisText(mark)),
    ]);
  }

  #times() {
    const { left, right } = this.#place.box;
    const ends = timeEnds(this.#points);
    const places = ends.length === 1 ? [[(left + right) / 2, "middle"]] : [[left, "start"], [right, "end"]];
    return places.map(([x, anchor], place) =>
      svg("text", { class: "plot-tick", x, y: HEIGHT - 4, "text-anchor": anchor }, ends[place]),
    );
  }

  #line() {
    const { box } = this.#place;
    const pairs = this.#points.map((point, index) => this.#xy(point, index).join(",")).join(" ");
    const last = this.#points.length - 1;
    const [start, end] = [this.#xy(this.#points[0], 0), this.#xy(this.#points[last], last)];
    const area = `${start[0]},${box.bottom} ${pairs} ${end[0]},${box.bottom}`;
    return [
      svg("polygon", { class: "plot-area", points: area }),
      svg("polyline", { class: this.#all.length > this.#points.length ? "plot-line dense" : "plot-line", points: pairs }),
    ];
  }

  #dots() {
    const last = this.#points.length - 1;
    const all = last < MOST_DOTS;
    return this.#points.flatMap((point, index) => {
      const [cx, cy] = this.#xy(point, index);
      const shown = point.entry.seq === this.#seq && svg("circle", { class: "plot-shown", cx, cy, r: 5 });
      const dot = (all || index === last) && svg("circle", { class: "plot-dot", cx, cy, r: index === last ? 3 : 2 });
      return [shown, dot].filter(Boolean);
    });
  }

  #xy(point, index) {
    const { x, y } = this.#place;
    return [x(point, index), y(point.value)].map((number) => Math.round(number * 10) / 10);
  }

  #within({ clientX, clientY }) {
    const { left, top } = this.#host.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  #at(place) {
    return this.#points[nearest(this.#points, place, (point, index) => this.#xy(point, index))];
  }

  // Writes the reading of the point nearest to the pointer.
  #point(pointer) {
    this.#pointer = pointer;
    this.#pointed.replaceChildren();
    if (!pointer || !this.#points.length) return;
    const point = this.#at(pointer);
    const { box } = this.#place;
    const [x, y] = this.#xy(point, this.#points.indexOf(point));
    const anchor = x < (box.left + box.right) / 2 ? "start" : "end";
    const at = anchor === "start" ? box.left : box.right;
    this.#pointed.replaceChildren(
      svg("path", { class: "plot-rule", d: `M${x} ${box.top}V${box.bottom}` }),
      svg("circle", { class: "plot-shown", cx: x, cy: y, r: 4 }),
      svg("text", { class: "plot-reading", x: at, y: 12, "text-anchor": anchor }, this.#on.point(point)),
    );
  }
}
