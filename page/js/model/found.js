import { count } from "./format.js";
import { matcher } from "./subjects.js";

const MOST = 30_000; // a gateway tells 12,000 at a time
const REASONS = {
  off: "No past may be read here, so no stream was asked.",
  no_jetstream: "NATS has no JetStream here.",
  not_permitted: "NATS does not let the gateway look into streams.",
  nats_down: "JetStream does not answer just now.",
};

/** Which subjects there are, as the gateway has answered. */
export class Found {
  constructor() {
    this.names = new Map(); // subject → { messages, stream }; messages is 0 of those that only came by
    this.sentence = "";
  }

  /** Takes an answer of the client; what was known of its patterns goes. */
  take({ subjects, stored, seen, more, complete, reason }) {
    const told = stored.reduce((sum, { messages }) => sum + Object.keys(messages).length, seen.length);
    if (subjects.includes(">") || this.names.size + told > MOST) this.names = new Map();
    for (const matches of this.names.size ? subjects.map(matcher) : []) {
      for (const name of this.names.keys()) if (matches(name)) this.names.delete(name);
    }
    for (const { stream, messages } of stored) {
      for (const [name, number] of Object.entries(messages)) this.names.set(name, { messages: number, stream });
    }
    for (const name of seen) this.names.set(name, { messages: 0, stream: "" });
    const where = subjects.includes(">") ? "" : ` under ${subjects.join(", ")}`;
    this.sentence = [
      foundSentence(stored, seen.length + more, where),
      REASONS[reason] ?? "",
      moreSentence(stored, more),
      complete || reason ? "" : "Not all streams could be read to their end.",
    ].filter(Boolean).join(" ");
  }
}

function foundSentence(stored, seen, where) {
  const total = stored.reduce((sum, { messages, more }) => sum + Object.keys(messages).length + more, 0);
  const streams = `${things(total, "subject")} in ${things(stored.length, "stream")}`;
  const parts = [total && streams, seen && `${total ? count(seen) : things(seen, "subject")} that came by lately`].filter(Boolean);
  return parts.length ? `Found ${parts.join(" and ")}${where}.` : `Found nothing${where} that you may follow.`;
}

function moreSentence(stored, seenMore) {
  const full = stored.filter(({ more }) => more > 0);
  const parts = full.slice(0, 3).map(({ stream, more }) => `${count(more)} more in ${stream}`);
  if (full.length > 3) parts.push(`more in ${things(full.length - 3, "other stream")}`);
  if (seenMore) parts.push(`${count(seenMore)} more that came by`);
  return parts.length ? `Not listed: ${parts.join(", ")}. Look below a branch to see them.` : "";
}

function things(number, name) {
  return `${count(number)} ${name}${number === 1 ? "" : "s"}`;
}
