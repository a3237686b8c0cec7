import { Days } from "./days.js";
import { metaLength, pairsOf } from "./meta.js";
import { Ring } from "./ring.js";
import { storedOf } from "./stored.js";
import { SubjectTable } from "./subject-table.js";
import { longDate } from "./time.js";

const DATA = ',"data":';
const ENCODED = /,"encoding":"(text|base64)"\}$/;
const MOST = 500_000; // messages: a list of more has no place in a browser
const SLICE = 12; // ms of work at a time

/** The message in a line of an export as NDJSON, its payload digit for digit; null if there is none. */
export function entryOf(line) {
  const at = line.indexOf(DATA);
  if (at === -1 || !line.endsWith("}")) return null;
  const [tail, encoding] = ENCODED.exec(line) ?? ["}", "json"];
  const raw = line.slice(at + DATA.length, line.length - tail.length);
  try {
    const { time, subject, reply = "", headers, ...place } = JSON.parse(`${line.slice(0, at)}}`);
    const data = JSON.parse(raw);
    const moment = Date.parse(time);
    const isText = encoding === "json" || typeof data === "string";
    if (typeof subject !== "string" || typeof reply !== "string" || !isText || Number.isNaN(moment)) return null;
    const pairs = pairsOf(headers);
    const beside = metaLength({ reply, headers: pairs });
    return { kind: "message", subject, raw, encoding, time: moment, skew: 0, hue: null, reply, headers: pairs, beside, stored: storedOf(place) };
  } catch {
    return null;
  }
}

/**
 * What is in a file: `{ source, table, messages, bad, from, to }`, `bad` being lines that are no messages, `from` and `to` the
 * times of the oldest and the newest. Of more than half a million messages the last ones.
 */
export async function readFile(file) {
  const reading = new Reading();
  const reader = file.stream().getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + decoder.decode(part.value, { stream: true })).split("\n");
    rest = lines.pop();
    await reading.take(lines);
  }
  await reading.take([rest + decoder.decode()]);
  return reading.result;
}

class Reading {
  #ring = new Ring(MOST);
  #table = new SubjectTable();
  #days = new Days();
  #bad = 0;
  #from = Infinity;
  #to = -Infinity;
  #until = 0;

  async take(lines) {
    for (const line of lines) {
      if (performance.now() > this.#until) {
        await new Promise((resolve) => setTimeout(resolve));
        this.#until = performance.now() + SLICE;
      }
      const text = line.trim();
      const entry = text && entryOf(text);
      if (entry) this.#keep(entry);
      else if (text) this.#bad += 1;
    }
  }

  #keep(entry) {
    const { time } = entry;
    if (this.#days.turn(time)) this.#ring.push({ kind: "note", about: "day", time, raw: "", text: longDate(time) });
    this.#ring.push(entry);
    this.#table.record(entry);
    this.#from = Math.min(this.#from, time);
    this.#to = Math.max(this.#to, time);
  }

  get result() {
    const source = this.#ring.snapshot();
    return { source, table: this.#table.snapshot(this.#to), messages: source.kept, bad: this.#bad, from: this.#from, to: this.#to };
  }
}
