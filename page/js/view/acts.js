import { narrowed } from "../model/filter.js";
import { publicationOf, replyTo } from "../model/outgoing.js";

const LONGEST = 24; // characters of a filter in a notice

/** What can be done with a part of a message that is open: name → act. */
export function acts({ filterBar, following, views, list, reading, toast, publishing, columnHeads }) {
  const narrow = (what, excluded) => filterBar.set(narrowed(filterBar.text, what, excluded));
  return {
    filter: (what) => narrow(what, false),
    exclude: (what) => narrow(what, true),
    only: ({ subject }) => following.only(subject),
    select: ({ entry }) => views.name !== "log" || list.mark(entry.seq),
    among: ({ entry }) => showAmongAll(entry, { filterBar, views, list, reading, toast }),
    column: ({ path }) => columnHeads.toggle(path),
    again: ({ entry }) => publishing.begin(publicationOf(entry)),
    reply: ({ entry }) => publishing.begin(replyTo(entry)),
  };
}

/** Shows a message among all others, and says how to have the filter back; false where there is no filter. */
export function showAmongAll(entry, { filterBar, views, list, reading, toast }) {
  const { text } = filterBar;
  if (!text || entry?.kind !== "message") return false;
  views.show("log");
  filterBar.set("");
  reading.hold(true);
  list.mark(entry.seq);
  const name = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  toast.show("Filter off.", () => filterBar.set(text), `Back to “${name}”`);
  return true;
}
