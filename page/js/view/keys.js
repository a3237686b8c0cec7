import { Popup } from "./popup.js";

const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * Shortcuts of the whole page: `actions` maps a key to what it does. Letters and signs can be
 * switched off, as WCAG 2.1.4 asks, and mean nothing in a field or while a dialog is open.
 * Escape leaves a field.
 */
export class Keys {
  letters = true;

  constructor(actions) {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && event.target.matches?.(FIELDS)) event.target.blur();
      const action = actions[event.key];
      if (!action || !this.#means(event)) return;
      if (action() !== false) event.preventDefault();
    });
  }

  #means({ key, target, defaultPrevented, altKey, ctrlKey, metaKey }) {
    if (defaultPrevented || altKey || ctrlKey || metaKey) return false;
    if (target.closest?.(FIELDS) || Popup.cover) return false;
    if (key === "Escape") return true;
    // Elsewhere these keys press a button, or scroll what has the focus.
    const isMove = key.length > 1 || key === " ";
    if (isMove) return target === document.body || Boolean(target.closest?.("[role=grid], [role=tree]"));
    return this.letters;
  }
}
