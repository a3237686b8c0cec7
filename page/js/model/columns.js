import { oneLine } from "./signs.js";
import { valueAt } from "./value-at.js";

const NONE = Object.freeze([]);
const MOST = 6;
const LONGEST = 200; // characters of a cell
const STEP = /(?:^|\.)([\p{ID_Start}$_][\p{ID_Continue}$]*)|\[(\d+|"(?:[^"\\]|\\.)*")\]/uy;

/** Values of the JSON that stand in columns of their own, by their paths as json-path.js writes them: `customer.id`. */
export class Columns {
  #steps = []; // of each path

  constructor() {
    this.paths = [];
  }

  /** Takes these paths in place of those that were there; what is none is left out. */
  become(paths) {
    const known = [...new Set(paths)].map((path) => [path, stepsIn(path)]).filter(([, steps]) => steps).slice(0, MOST);
    this.paths = known.map(([path]) => path);
    this.#steps = known.map(([, steps]) => steps);
  }

  has(path) {
    return this.paths.includes(path);
  }

  /** Adds a path, or takes it away; false if there is no room for one more. */
  toggle(path) {
    if (!this.has(path) && this.paths.length === MOST) return false;
    this.become(this.has(path) ? this.paths.filter((each) => each !== path) : [...this.paths, path]);
    return true;
  }

  /** What stands in the columns for a message, "" where it has no such value. */
  cells(message) {
    if (!this.paths.length) return NONE;
    const known = message.cells;
    if (known?.paths === this.paths) return known.texts;
    const texts = this.#steps.map((steps) => (message.encoding === "json" ? cellText(valueAt(message.raw, steps)) : ""));
    message.cells = { paths: this.paths, texts };
    return texts;
  }

  /** What stands in the column of `path`. */
  cell(message, path) {
    return this.cells(message)[this.paths.indexOf(path)] ?? "";
  }
}

/** Whether a cell holds a number, as it stands in JSON. */
export function isNumber(text) {
  return /^-?\d/.test(text) && !Number.isNaN(Number(text));
}

function cellText(written) {
  const text = written.startsWith('"') ? JSON.parse(written) : written;
  return oneLine(text.length > LONGEST ? `${Array.from(text.slice(0, LONGEST)).join("")}…` : text);
}

function stepsIn(path) {
  const steps = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const found = STEP.exec(path);
    if (!found) return null;
    steps.push(found[1] ?? stepOf(found[2]));
  }
  return steps.length ? steps : null;
}

function stepOf(text) {
  return text.startsWith('"') ? JSON.parse(text) : Number(text);
}
