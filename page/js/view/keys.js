const FIELDS = "input, textarea, select, [contenteditable]";
const PRESSABLE = "button, a, summary, [role=tab], [role=option]";

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
    if (target.closest?.(FIELDS) || document.querySelector("dialog:modal, :popover-open")) return false;
    if ([" ", "Enter"].includes(key) && target.closest?.(PRESSABLE)) return false;
    return this.letters || key.length > 1 || (key === " " && target.closest?.("[role=grid]") !== null);
  }
}
