import { count } from "../model/format.js";
import { useZone } from "../model/time.js";

const MIB = 1024 * 1024;
const small = matchMedia("(max-width: 599px)").matches || navigator.deviceMemory <= 4;

/** How much is kept unless the reader says otherwise: a phone has less memory and nobody scrolls that far. */
export const standard = small ? { count: 20_000, chars: 16 * MIB } : { count: 100_000, chars: 64 * MIB };

/** How much a choice of the reader keeps: as much text for each message as is usual, and never less in all. */
export function limits(choice) {
  if (choice === "standard") return standard;
  const count = Number(choice);
  return { count, chars: Math.max(standard.chars, (count / 100_000) * 64 * MIB) };
}

/** A choice in words: "300,000, or 192 MB". */
export function limitsText(choice) {
  const { count: messages, chars } = limits(choice);
  const text = `${count(messages)}, or ${megabytes(chars)}`;
  return choice === "standard" ? `automatic: ${text}` : text;
}

/** "64 MB" of text. */
export function megabytes(chars) {
  return `${Math.round(chars / MIB)} MB`;
}

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
    keep: (value) => reading.keep(limits(value)),
    letters: (value) => {
      keys.letters = value === "on";
    },
  };
  return (name, value) => {
    effects[name](value);
    refresh();
  };
}
