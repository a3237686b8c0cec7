const MOST = 128; // what one connection may follow: a link cannot ask for more

/** The fragment that holds these patterns, `#s=orders.*,telemetry.%3E`; "" for none. */
export function toFragment(patterns) {
  return patterns.length ? `#s=${patterns.map(encodeURIComponent).join(",")}` : "";
}

/** The patterns a fragment holds; parts that cannot be read are left out. */
export function fromFragment(fragment) {
  const field = fragment.replace(/^#/, "").split("&").find((part) => part.startsWith("s="));
  if (!field) return [];
  const patterns = field.slice(2).split(",").map(decoded).filter(Boolean);
  return [...new Set(patterns)].slice(0, MOST);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
