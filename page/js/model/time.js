const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
let zone = "local";
let current = { start: 0, end: 0, zone };

/** From now on times and days are "local" or "utc". */
export function useZone(name) {
  zone = name;
}

/** Time of day, "12:01:09". */
export function clock(time) {
  return fields(time).slice(3, 6).map((n) => pad(n, 2)).join(":");
}

/** Time of day with milliseconds, "12:01:09.002". */
export function clockExact(time) {
  return `${clock(time)}.${pad(new Date(time).getMilliseconds(), 3)}`;
}

/** "27 Nov 2026". */
export function date(time) {
  const [year, month, day] = fields(time);
  return `${day} ${MONTHS[month].slice(0, 3)} ${year}`;
}

/** "Friday, 27 November 2026"; with the zone where that is not the reader's own. */
export function longDate(time) {
  const [year, month, day, , , , weekday] = fields(time);
  return `${DAYS[weekday]}, ${day} ${MONTHS[month]} ${year}${zone === "utc" ? " UTC" : ""}`;
}

/** The day in which `time` is: `{ start, end, zone }`, `end` being the start of the next one. */
export function dayOf(time) {
  const [year, month, day] = fields(time);
  const start = (plus) => (zone === "utc" ? Date.UTC(year, month, day + plus) : new Date(year, month, day + plus).getTime());
  return { start: start(0), end: start(1), zone };
}

/** Whether `time` is in a day of `dayOf`, as days are counted now. */
export function isIn(day, time) {
  return day.zone === zone && time >= day.start && time < day.end;
}

/** The last moment until `until` at which the time of day was `[hours, minutes, seconds, milliseconds]`. */
export function lastTime(ofDay, until) {
  const [year, month, day] = fields(until);
  const on = (date) => (zone === "utc" ? Date.UTC(year, month, date, ...ofDay) : new Date(year, month, date, ...ofDay).getTime());
  return on(day) <= until ? on(day) : on(day - 1);
}

/** The day that it is now. */
export function today() {
  const now = Date.now();
  if (!isIn(current, now)) current = dayOf(now);
  return current;
}

/** Time of day, "12:01:09", with the date before it unless that is today's, or the same as that of `beside`. */
export function moment(time, beside = null) {
  return dated(time, clock(time), beside);
}

/** The same with milliseconds. */
export function momentExact(time) {
  return dated(time, clockExact(time));
}

/** Two moments, "12:01:09 – 12:03:00", with the dates one needs to understand them. */
export function span(from, to) {
  return `${moment(from)} – ${moment(to, from)}`;
}

// Of another year also the year.
function dated(time, text, beside = null) {
  const day = today();
  const isKnown = beside === null ? isIn(day, time) : isIn(dayOf(beside), time);
  if (isKnown) return text;
  const [year] = fields(time);
  const written = date(time);
  return `${year === fields(day.start)[0] ? written.slice(0, -5) : written}, ${text}`;
}

function fields(time) {
  const at = new Date(time);
  return zone === "utc"
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), at.getUTCDay()]
    : [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds(), at.getDay()];
}

function pad(number, width) {
  return String(number).padStart(width, "0");
}
