import { RateLine } from "./rate-line.js";

const EVERY = 1_000; // ms

/** Once a second: how fast messages come, in all, for each chip and each subject. */
export class Pulse {
  #feed;
  #chips;
  #line = new RateLine();
  #beatAt = performance.now();

  constructor(feed, chips) {
    this.#feed = feed;
    this.#chips = chips;
    this.rate = 0; // messages in the last whole second
    setInterval(() => this.#beat(), EVERY);
  }

  // A timer may be late, in a hidden tab by a minute, so rates go by the time that has passed.
  #beat() {
    const now = performance.now();
    const seconds = (now - this.#beatAt) / 1000;
    if (!seconds) return;
    this.#beatAt = now;
    this.#feed.table.tick(seconds);
    this.#chips.tick(this.#feed.subscriptions, seconds);
    const rates = this.#feed.rates.at(Date.now());
    this.rate = rates.messages;
    this.#line.show(rates);
  }
}
