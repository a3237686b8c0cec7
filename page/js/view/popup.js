import { wide } from "./dom.js";

const native = "popover" in HTMLElement.prototype; // since 2024 in every browser

/**
 * What opens over the page and closes at a press elsewhere, or at Escape: an element with the attribute `popover`
 * and the class "popup". Where the browser knows no popovers, css/dialogs.css goes by the class "open".
 */
export class Popup {
  static #all = [];
  #element;
  #button;
  #on;
  #before = null; // what had the focus

  /** `button` opens and closes it, if there is one. `on`: { opens(), closed() }. */
  constructor(element, button = null, { opens = () => {}, closed = () => {} } = {}) {
    this.#element = element;
    this.#button = button;
    this.#on = { opens, closed };
    Popup.#all.push(this);
    if (native) {
      element.addEventListener("beforetoggle", ({ newState }) => newState === "open" && opens());
      element.addEventListener("toggle", ({ newState }) => newState === "closed" && closed());
      return;
    }
    button?.setAttribute("aria-expanded", "false");
    button?.addEventListener("click", () => (this.open ? this.hide() : this.show()));
    document.addEventListener("pointerdown", ({ target }) => this.#pressed(target), { capture: true });
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  /** Whether one of them is open, or a dialog that covers the page. */
  static get cover() {
    const dialogs = [...document.querySelectorAll("dialog[open]")];
    return Popup.#all.some(({ open }) => open) || dialogs.some(({ classList }) => !wide.matches || !classList.contains("beside"));
  }

  get open() {
    return native ? this.#element.matches(":popover-open") : this.#element.classList.contains("open");
  }

  show() {
    if (native) this.#element.showPopover();
    else this.#become(true);
  }

  hide() {
    if (!this.open) return;
    if (native) this.#element.hidePopover();
    else this.#become(false);
  }

  #become(open) {
    const hadFocus = this.#element.contains(document.activeElement);
    if (open) {
      this.#before = document.activeElement;
      this.#on.opens();
    }
    this.#element.classList.toggle("open", open);
    this.#button?.setAttribute("aria-expanded", String(open));
    if (open) return;
    if (hadFocus) this.#before?.focus({ preventScroll: true });
    this.#on.closed();
  }

  #pressed(target) {
    if (this.open && !this.#element.contains(target) && !this.#button?.contains(target)) this.hide();
  }

  #key(event) {
    if (event.key !== "Escape" || !this.open) return;
    event.preventDefault();
    event.stopPropagation(); // it closes nothing else
    this.hide();
  }
}
