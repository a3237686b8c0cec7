const MOST_LINES = 2_000; // on either side, once what is alike at both ends is set aside
const IN_WORD = /[\p{L}\p{N}\p{Cs}_.+-]/u; // also half of a character, so that none is parted

/**
 * What to do to the lines `old` to get `lines`: `[{ sign, text }]`, sign being " ", "-" or "+", taken away
 * before added; null if too much of them differs to say. A comma at the end of a line makes no difference:
 * it belongs to the line that follows. A " " has the text of the new line.
 */
export function diff(old, lines) {
  const one = old.map(withoutComma);
  const other = lines.map(withoutComma);
  const head = alikeAtStart(one, other);
  const tail = alikeAtEnd(one, other, head);
  const middle = { old: old.slice(head, old.length - tail), lines: lines.slice(head, lines.length - tail) };
  if (Math.max(middle.old.length, middle.lines.length) > MOST_LINES) return null;
  return [
    ...lines.slice(0, head).map(same),
    ...changes(middle.old, middle.lines, one.slice(head), other.slice(head)),
    ...lines.slice(lines.length - tail).map(same),
  ];
}

/**
 * The same steps, in which lines that were put in the place of as many others stand below them one by one,
 * and have `part`: the `[start, end]` that differs, in whole words.
 */
export function paired(steps) {
  return stretches(steps).flatMap(({ steps: stretch, changed }) => {
    const gone = stretch.filter(({ sign }) => sign === "-");
    const come = stretch.filter(({ sign }) => sign === "+");
    if (!changed || gone.length !== come.length) return stretch;
    return gone.flatMap((step, place) => [withPart(step, come[place]), withPart(come[place], step)]);
  });
}

function withPart(step, other) {
  const { text } = step;
  let start = alikeAtStart(text, other.text);
  let end = text.length - alikeAtEnd(text, other.text, start);
  while (start > 0 && IN_WORD.test(text[start - 1])) start -= 1;
  while (end < text.length && IN_WORD.test(text[end])) end += 1;
  return { ...step, part: [start, end] };
}

/** The same with long stretches of what is alike as `{ sign: "…", count }`, `around` lines left at each side. */
export function fold(steps, around = 3) {
  const folded = [];
  for (const stretch of stretches(steps)) {
    const first = folded.length ? around : 0;
    const last = stretch.last ? 0 : around;
    const count = stretch.steps.length - first - last;
    if (stretch.changed || count < 2) folded.push(...stretch.steps);
    else folded.push(...stretch.steps.toSpliced(first, count, { sign: "…", count }));
  }
  return folded;
}

function stretches(steps) {
  const found = [];
  for (const step of steps) {
    const changed = step.sign !== " ";
    if (found.at(-1)?.changed !== changed) found.push({ changed, steps: [], last: false });
    found.at(-1).steps.push(step);
  }
  if (found.length) found.at(-1).last = true;
  return found;
}

function withoutComma(line) {
  return line.endsWith(",") ? line.slice(0, -1) : line;
}

function same(text) {
  return { sign: " ", text };
}

function alikeAtStart(one, other) {
  const most = Math.min(one.length, other.length);
  let count = 0;
  while (count < most && one[count] === other[count]) count += 1;
  return count;
}

function alikeAtEnd(one, other, head) {
  const most = Math.min(one.length, other.length) - head;
  let count = 0;
  while (count < most && one[one.length - 1 - count] === other[other.length - 1 - count]) count += 1;
  return count;
}

function changes(old, lines, one, other) {
  const wide = lines.length + 1;
  const longest = commonLengths(old.length, lines.length, one, other);
  const below = (at, to) => longest[(at + 1) * wide + to];
  const beside = (at, to) => longest[at * wide + to + 1];
  const steps = [];
  let at = 0;
  let to = 0;
  while (at < old.length || to < lines.length) {
    if (at < old.length && to < lines.length && one[at] === other[to]) {
      steps.push(same(lines[to]));
      at += 1;
      to += 1;
    } else if (at < old.length && (to === lines.length || below(at, to) >= beside(at, to))) {
      steps.push({ sign: "-", text: old[at++] });
    } else {
      steps.push({ sign: "+", text: lines[to++] });
    }
  }
  return steps;
}

// For each pair of places the length of the longest common subsequence of what follows them.
function commonLengths(height, width, one, other) {
  const wide = width + 1;
  const longest = new Uint16Array((height + 1) * wide);
  for (let at = height - 1; at >= 0; at -= 1) {
    for (let to = width - 1; to >= 0; to -= 1) {
      longest[at * wide + to] =
        one[at] === other[to]
          ? longest[(at + 1) * wide + to + 1] + 1
          : Math.max(longest[(at + 1) * wide + to], longest[at * wide + to + 1]);
    }
  }
  return longest;
}
