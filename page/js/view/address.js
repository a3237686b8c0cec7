import { fromFragment, toFragment } from "../model/view-url.js";

/** The address bar: its fragment holds the view, for a link, a reload, and Back. */
export class Address {
  #fragment = ""; // as this page would write it; a link typed by hand may look different

  read() {
    const view = fromFragment(location.hash);
    this.#fragment = toFragment(view);
    return view;
  }

  /** The view as a link has it; "" if there is nothing to say of it. */
  get fragment() {
    return this.#fragment;
  }

  /** Takes a change that Back undoes; while something covers the page, Back takes that away instead. */
  push(view) {
    if (history.state?.covered) this.replace(view);
    else if (this.#take(view)) history.pushState(null, "", this.#url());
  }

  /** Takes a change that is none to go back from: the reader's of how to look at it, or a refusal. */
  replace(view) {
    if (this.#take(view)) history.replaceState(history.state, "", this.#url());
  }

  /** Writes the view to an older step of the history, which does not know what was done since. */
  carry(view) {
    this.#take(view);
    history.replaceState(history.state, "", this.#url());
  }

  #take(view) {
    const before = this.#fragment;
    this.#fragment = toFragment(view);
    return this.#fragment !== before;
  }

  #url() {
    return location.pathname + location.search + this.#fragment;
  }
}
