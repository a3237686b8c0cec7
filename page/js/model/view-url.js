const MOST = 128; // what one connection may follow: a link cannot ask for more

/**
 * The fragment that holds a view, `#s=orders.*,telemetry.%3E&q=error%20-debug&v=latest`; "" for one
 * of which there is nothing to say. A view is `{ patterns, filter, latest }`.
 */
export function toFragment({ patterns, filter = "", latest = false }) {
  const parts = [];
  if (patterns.length) parts.push(`s=${patterns.map(encodeURIComponent).join(",")}`);
  if (filter) parts.push(`q=${encodeURIComponent(filter)}`);
  if (latest) parts.push("v=latest");
  return parts.length ? `#${parts.join("&")}` : "";
}

/** The view a fragment holds; what cannot be read is left out. */
export function fromFragment(fragment) {
  const patterns = part(fragment, "s").split(",").map(decoded).filter(Boolean);
  return {
    patterns: [...new Set(patterns)].slice(0, MOST),
    filter: decoded(part(fragment, "q")),
    latest: part(fragment, "v") === "latest",
  };
}

function part(fragment, name) {
  const parts = fragment.replace(/^#/, "").split("&");
  return parts.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
