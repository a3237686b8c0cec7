const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A length of time in at most two units: "0 ms", "3.2 s", "42 s", "3 min 5 s", "2 h"; none if a clock was put back. */
export function duration(milliseconds) {
  if (milliseconds < 1_000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 9_950) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1_000) * 1_000;
  const place = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[place];
  const [lower, lowerSize] = UNITS[place + 1] ?? ["", Infinity];
  const rest = Math.floor((seconds % size) / lowerSize);
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${lower}` : ""}`;
}

/** How long ago something was, in the largest unit: "now", "12 s", "3 min". */
export function age(milliseconds) {
  const [unit, size] = UNITS.find(([, each]) => milliseconds >= each) ?? [];
  return unit ? `${Math.floor(milliseconds / size)} ${unit}` : "now";
}

/** The age that `age` writes, in ms. */
export function shownAge(milliseconds) {
  const [, size] = UNITS.find(([, each]) => milliseconds >= each) ?? [];
  return size ? Math.floor(milliseconds / size) * size : 0;
}
