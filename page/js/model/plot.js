import { duration } from "./duration.js";
import { count } from "./format.js";
import { moment, momentExact } from "./time.js";

const ACROSS = 3;
const NICE = [1, 2, 2.5, 5, 10];

/** At most `most` points of many: the lowest and the highest of each stretch, so that no peak is lost. */
export function thin(points, most) {
  if (points.length <= most) return points;
  const stretch = Math.ceil(points.length / Math.floor(most / 2));
  const thinned = [];
  for (let at = 0; at < points.length; at += stretch) {
    const { low, high } = extremes(points.slice(at, at + stretch));
    if (low === high) thinned.push(low);
    else thinned.push(...(points.indexOf(low, at) < points.indexOf(high, at) ? [low, high] : [high, low]));
  }
  return thinned;
}

/** The first of the lowest and the first of the highest points. */
export function extremes(points) {
  let [low, high] = [points[0], points[0]];
  for (const point of points) {
    if (point.value < low.value) low = point;
    if (point.value > high.value) high = point;
  }
  return { low, high };
}

/** Round numbers from `low` to `high`, about `wanted` of them; both ends if nothing round lies between. */
export function ticks(low, high, wanted = 3) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * NICE.find((nice) => nice * power >= rough * 0.999);
  if (!(step > 0) || low + step === low || !Number.isFinite(step)) return low === high ? [low] : [low, high];
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const found = Array.from({ length: last - first + 1 }, (_, place) => tidy((first + place) * step));
  return found.length ? found : [low, high];
}

// 3 * 0.1 is 0.30000000000000004
function tidy(number) {
  return Number(number.toPrecision(12));
}

/** A number short enough for an axis. */
export function axisText(number) {
  const size = Math.abs(number);
  if (size && (size >= 1e9 || size < 1e-4)) return number.toExponential(2).replace(/\.?0+e/, "e");
  return new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 }).format(number);
}

/**
 * Where points go in a box `{ left, right, top, bottom }`: functions `x(point, index)` and `y(value)`.
 * Points of one moment, as those that came in one frame, are spread evenly, and so are all if the clock was put back.
 */
export function scale(points, { left, right, top, bottom }) {
  const { low, high } = extremes(points);
  const [start, end] = [points[0].time, points.at(-1).time];
  const inOrder = points.every(({ time }, index) => !index || time >= points[index - 1].time);
  const share = end > start && inOrder ? ({ time }) => (time - start) / (end - start) : (_, index) => index / (points.length - 1);
  // Halves, since the difference of two numbers may be too large for a number.
  const [half, halfLow] = [high.value / 2 - low.value / 2, low.value / 2];
  return {
    x: (point, index) => (points.length === 1 ? (left + right) / 2 : left + share(point, index) * (right - left)),
    y: (value) => (half ? bottom - ((value / 2 - halfLow) / half) * (bottom - top) : (top + bottom) / 2),
  };
}

/**
 * Index of the point nearest to a place, `at` being where each point is: `[x, y]`. Where it is on the time
 * axis counts most; its height tells apart the points of one moment.
 */
export function nearest(points, [x, y], at) {
  let best = -1;
  let least = Infinity;
  points.forEach((point, index) => {
    const [left, top] = at(point, index);
    const distance = (ACROSS * (left - x)) ** 2 + (top - y) ** 2;
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
}

/** How much there is: "120 messages over 42 s". */
export function extent(points, cut = false) {
  return points.length ? `${messages(points, cut)} over ${span(points)}` : "no number here yet";
}

/** The plot in words: "celsius over 42 s: 18.2 to 24.0, last 21.4, 120 messages"; `text(point)` writes a number. */
export function inWords(name, points, text, cut = false) {
  if (!points.length) return `${name}: no number yet`;
  const { low, high } = extremes(points);
  const range = `${text(low)} to ${text(high)}, last ${text(points.at(-1))}`;
  return `${name} over ${span(points)}: ${range}, ${messages(points, cut)}`;
}

function messages({ length }, cut) {
  return length === 1 ? "1 message" : `${cut ? "the newest " : ""}${count(length)} messages`;
}

function span(points) {
  return duration(points.at(-1).time - points[0].time);
}

/** The ends of the time axis: with milliseconds where the seconds would be the same. */
export function timeEnds(points) {
  const [start, end] = [points[0].time, points.at(-1).time];
  const write = end - start < 10_000 ? momentExact : (time) => moment(time);
  return end === start ? [write(start)] : [write(start), write(end)];
}
