import { useZone } from "../model/format.js";

const small = matchMedia("(max-width: 599px)").matches || navigator.deviceMemory <= 4;

/** How much is kept unless the reader says otherwise: a phone has less memory and nobody scrolls that far. */
export const standard = small
  ? { count: 20_000, chars: 16 * 1024 * 1024 }
  : { count: 100_000, chars: 64 * 1024 * 1024 };

/** A function `(name, value)` that lets a preference take effect on these parts of the page. */
export function applier({ reading, list, keys, refresh }) {
  const effects = {
    theme: (value) => {
      document.documentElement.dataset.theme = value;
    },
    newest: (value) => {
      list.newestFirst = value === "top";
    },
    times: (value) => {
      useZone(value);
      list.redraw();
    },
    keep: (value) => reading.keep(value === "standard" ? standard.count : Number(value)),
    letters: (value) => {
      keys.letters = value === "on";
    },
  };
  return (name, value) => {
    effects[name](value);
    refresh();
  };
}
