import { AUTO, pastText, readPast } from "./past.js";

const VIEWS = ["log", "latest", "tree"];
const MOST = 128; // what one connection may follow: a link cannot ask for more

/**
 * The fragment that holds a view, `#s=orders.*@last:100,telemetry.%3E&q=error%20-debug&v=latest`; "" for one
 * of which there is nothing to say. A view is `{ wanted, filter, view, wall, columns }`, and what is wanted `{ pattern, history }`.
 */
export function toFragment({ wanted, filter = "", view = VIEWS[0], wall = false, columns = [] }) {
  const parts = [];
  if (wanted.length) parts.push(`s=${wanted.map(written).join(",")}`);
  if (filter) parts.push(`q=${encodeURIComponent(filter)}`);
  if (view !== VIEWS[0]) parts.push(`v=${view}`);
  if (columns.length) parts.push(`c=${columns.map(encodeURIComponent).join(",")}`);
  if (wall) parts.push("ui=wall");
  return parts.length ? `#${parts.join("&")}` : "";
}

/** The view a fragment holds; what cannot be read is left out. */
export function fromFragment(fragment) {
  const all = part(fragment, "s").split(",").map(read).filter(({ pattern }) => pattern);
  const byPattern = new Map(all.map((each) => [each.pattern, each]));
  return {
    wanted: [...byPattern.values()].slice(0, MOST),
    filter: decoded(part(fragment, "q")),
    view: VIEWS.find((each) => each === part(fragment, "v")) ?? VIEWS[0],
    columns: part(fragment, "c").split(",").map(decoded).filter(Boolean),
    wall: part(fragment, "ui") === "wall",
  };
}

// An @ of the pattern itself is written as %40.
function written({ pattern, history }) {
  const past = pastText(history);
  return `${encodeURIComponent(pattern)}${past && `@${past}`}`;
}

function read(text) {
  const at = text.lastIndexOf("@");
  const history = at === -1 ? undefined : readPast(decoded(text.slice(at + 1)));
  return history ? { pattern: decoded(text.slice(0, at)), history } : { pattern: decoded(text), history: AUTO };
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
