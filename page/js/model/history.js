/**
 * The messages of one subject in a source, `{ length, at(index) }` with the oldest at 0. Places are found
 * by `seq`, which rises along every source: so a message that has left it still has neighbours.
 */

/** The message of the same subject just before `entry`; undefined if the source has none. */
export function before(source, { subject, seq }) {
  for (let index = place(source, seq) - 1; index >= 0; index -= 1) {
    const entry = source.at(index);
    if (isOf(entry, subject)) return entry;
  }
  return undefined;
}

/** The message of the same subject just after `entry`; undefined if the source has none. */
export function after(source, { subject, seq }) {
  for (let index = place(source, seq + 1); index < source.length; index += 1) {
    const entry = source.at(index);
    if (isOf(entry, subject)) return entry;
  }
  return undefined;
}

/** Index of the first entry whose seq is `seq` or more; the length if there is none. */
export function place(source, seq) {
  let low = 0;
  let high = source.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (source.at(middle).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isOf(entry, subject) {
  return entry.kind === "message" && entry.subject === subject;
}
