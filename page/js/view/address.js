import { fromFragment, toFragment } from "../model/view-url.js";

/** The address bar: its fragment holds what is followed, for a link, a reload, and Back. */
export class Address {
  #fragment = ""; // as this page would write it; a link typed by hand may look different

  read() {
    const patterns = fromFragment(location.hash);
    this.#fragment = toFragment(patterns);
    return patterns;
  }

  /** Takes a change of the reader's; Back undoes it. */
  push(patterns) {
    if (this.#take(patterns)) history.pushState(null, "", this.#url());
  }

  /** Takes a change that the reader did not make, such as a refusal. */
  replace(patterns) {
    if (this.#take(patterns)) history.replaceState(history.state, "", this.#url());
  }

  #take(patterns) {
    const before = this.#fragment;
    this.#fragment = toFragment(patterns);
    return this.#fragment !== before;
  }

  #url() {
    return location.pathname + location.search + this.#fragment;
  }
}
