/** A step in the history while something covers the page: Back takes the cover away, not what it covers. */
export class Cover {
  static #goes = false; // the step of one of them is about to go
  #there = false;
  #leaving = false;

  /** `uncover()` is called when the reader goes Back, `landed()` whenever the step is gone. */
  constructor(uncover, landed) {
    addEventListener("popstate", () => {
      if (!this.#there && !this.#leaving) return;
      const wentBack = this.#there;
      this.#there = this.#leaving = Cover.#goes = false;
      landed();
      if (wentBack) uncover();
    });
  }

  /** Does what begins another cover, once the step of the last one is gone: it would take the next one along. */
  static whenFree(act) {
    if (Cover.#goes) addEventListener("popstate", act, { once: true });
    else act();
  }

  begin() {
    if (this.#there) return;
    this.#there = true;
    history.pushState({ covered: true }, "");
  }

  /** The cover is gone by other means, so its step goes too. */
  end() {
    if (!this.#there) return;
    this.#there = false;
    this.#leaving = Cover.#goes = true;
    history.back();
  }
}
