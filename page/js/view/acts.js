import { narrowed } from "../model/filter.js";

/** What can be done with a part of a message that is open: name → act. */
export function acts({ filterBar, following, views, list }) {
  const narrow = (what, excluded) => filterBar.set(narrowed(filterBar.text, what, excluded));
  return {
    filter: (what) => narrow(what, false),
    exclude: (what) => narrow(what, true),
    only: ({ subject }) => following.only(subject),
    select: ({ entry }) => views.latest || list.mark(entry.seq),
  };
}
