/** What the page asks for beside each message. */
export const META = ["time", "reply", "headers"];

const NONE = Object.freeze([]); // most messages have no headers

/** Characters that an entry takes: of its payload, and `beside` it. */
export function textLength({ raw, beside = 0 }) {
  return raw.length + beside;
}

/** The headers in a message, none if somebody else than the gateway wrote there what are no pairs. */
export function pairsOf(headers) {
  if (!headers?.length) return NONE;
  const isPair = (pair) => typeof pair?.[0] === "string" && typeof pair[1] === "string";
  return Array.isArray(headers) && headers.every(isPair) ? headers : NONE;
}

/** Characters of what came beside a payload: they take room as well. */
export function metaLength({ reply = "", headers }) {
  let length = reply.length;
  for (const [name, value] of headers) length += name.length + value.length;
  return length;
}

/** A header as one line, as the filter looks at it: "Nats-Msg-Id=a1". */
export function headerLine([name, value]) {
  return `${name}=${value}`;
}
