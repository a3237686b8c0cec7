const MOST = 128; // what one connection may follow: a link cannot ask for more

/** The fragment that holds these patterns, `#s=orders.*,telemetry.%3E`; "" for none. */
export function toFragment(patterns) {
  return patterns.length ? `#s=${patterns.map(encodeURIComponent).join(",")}` : "";
}

/** The patterns a fragment holds; parts that cannot be read are left out. */
export function fromFragment(fragment) {
  const patterns = part(fragment, "s").split(",").map(decoded).filter(Boolean);
  return [...new Set(patterns)].slice(0, MOST);
}

/** The filter a fragment holds, `#s=…&q=error%20-debug`; "" for none. */
export function filterIn(fragment) {
  return decoded(part(fragment, "q"));
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
