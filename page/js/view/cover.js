/** A step in the history while something covers the page: Back takes the cover away, not what it covers. */
export class Cover {
  #there = false;
  #leaving = false;

  /** `uncover()` is called when the reader goes Back, `landed()` whenever the step is gone. */
  constructor(uncover, landed) {
    addEventListener("popstate", () => {
      if (!this.#there && !this.#leaving) return;
      const wentBack = this.#there;
      this.#there = this.#leaving = false;
      landed();
      if (wentBack) uncover();
    });
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
    this.#leaving = true;
    history.back();
  }
}
