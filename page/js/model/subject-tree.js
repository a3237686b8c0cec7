const FOLDED = 200; // of more children only so many are shown
const NONE = new Map(); // most have none, and thousands of maps would cost more than all else
const natural = new Intl.Collator("en", { numeric: true }); // d2 before d10

/**
 * Subjects by their parts. A node is `{ path, name, parent, children, row, found, subjects, count, rate, stored }`: what
 * the page has had of that very subject, and what was found of it, or null; then how many subjects there are under it,
 * itself included, how many messages came, how fast, and how many are stored.
 */
export class SubjectTree {
  #root = node("", "", null);
  #byPath = new Map();
  #nodes = []; // each behind its parent
  #turned = new Map(); // path → whether it is open; else it is not
  #limits = new Map(); // path → how many of its children are shown

  /** Takes rows of the subject table, and what was found: subject → `{ messages, stream }`. */
  build(rows, found) {
    this.#root = node("", "", null);
    this.#byPath = new Map();
    this.#nodes = [];
    for (const row of rows) this.#at(row.subject).row = row;
    for (const [subject, known] of found) this.#at(subject).found = known;
    for (const each of this.#nodes) {
      each.subjects = Number(each.row !== null || each.found !== null);
      each.stored = each.found?.messages ?? 0;
    }
    this.#eachUp((each) => {
      each.parent.subjects += each.subjects;
      each.parent.stored += each.stored;
    });
    this.refresh();
  }

  /** Takes the figures of the rows as they are by now. */
  refresh() {
    this.#root.count = this.#root.rate = 0;
    for (const each of this.#nodes) {
      each.count = each.row?.count ?? 0;
      each.rate = each.row?.rate ?? 0;
    }
    this.#eachUp((each) => {
      each.parent.count += each.count;
      each.parent.rate += each.rate;
    });
  }

  // From the deepest up, so that what is added to a parent is whole.
  #eachUp(add) {
    for (let place = this.#nodes.length - 1; place >= 0; place -= 1) add(this.#nodes[place]);
  }

  /** All of it: a node of which every other one is under. */
  get whole() {
    return this.#root;
  }

  get(path) {
    return this.#byPath.get(path);
  }

  // Where nothing was beside it at first it is open, and stays so.
  #isOpen({ path, parent, children }) {
    if (children.size && parent.children.size === 1 && !this.#turned.has(path)) this.#turned.set(path, true);
    return children.size > 0 && this.#turned.get(path) === true;
  }

  /** Opens or closes a node. */
  turn({ path }, open) {
    this.#turned.set(path, open);
  }

  /** Shows five times as many children of a node. */
  unfold({ path }) {
    this.#limits.set(path, this.#limit(path) * 5);
  }

  /**
   * What is shown, from top to bottom: `{ path, node, level, place, siblings, open }`; or, with `more` instead of a
   * node's own, how many children of that node are not.
   */
  get lines() {
    const lines = [];
    this.#list(this.#root, 1, lines);
    return lines;
  }

  #list(parent, level, lines) {
    const children = sorted(parent);
    const limit = this.#limit(parent.path);
    const more = children.length > limit + 1 ? children.length - limit : 0; // a line for one more is that one
    const shown = more ? children.slice(0, limit) : children;
    const siblings = shown.length + Number(more > 0);
    for (const [index, each] of shown.entries()) {
      const open = this.#isOpen(each);
      lines.push({ path: each.path, node: each, level, place: index + 1, siblings, open, more: 0 });
      if (open) this.#list(each, level + 1, lines);
    }
    if (more) lines.push({ path: `${parent.path} more`, node: parent, level, place: siblings, siblings, open: false, more });
  }

  #limit(path) {
    return this.#limits.get(path) ?? FOLDED;
  }

  #at(subject) {
    const known = this.#byPath.get(subject);
    if (known) return known;
    const dot = subject.lastIndexOf(".");
    const parent = dot === -1 ? this.#root : this.#at(subject.slice(0, dot));
    const made = node(subject, subject.slice(dot + 1), parent);
    if (parent.children === NONE) parent.children = new Map();
    parent.children.set(made.name, made);
    this.#byPath.set(subject, made);
    this.#nodes.push(made);
    return made;
  }
}

/** The patterns that bring what a node stands for. */
export function patternsOf({ path, children, row, found }) {
  const below = children.size ? [`${path}.>`] : [];
  return row || found || !below.length ? [path, ...below] : below;
}

function node(path, name, parent) {
  return { path, name, parent, children: NONE, sorted: null, row: null, found: null, subjects: 0, count: 0, rate: 0, stored: 0 };
}

function sorted(parent) {
  parent.sorted ??= [...parent.children.values()].sort(byName);
  return parent.sorted;
}

// What NATS has for itself comes last.
function byName({ name: one }, { name: other }) {
  return Number(/^[$_]/.test(one)) - Number(/^[$_]/.test(other)) || natural.compare(one, other) || Number(one > other) - Number(one < other);
}
