/** A step in the history while something covers the page: Back takes the cover away, not what it covers. */
export class Cover {
  #there = false;

  /** `uncover()` is called when the reader goes Back. */
  constructor(uncover) {
    addEventListener("popstate", () => {
      if (!this.#there) return;
      this.#there = false;
      uncover();
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
    history.back();
  }
}
