const PATIENCE = 1_000; // ms: most outages are over by then
const EVERY = 15_000;

/** Why NATS is out of the gateway's reach, as far as that says so at `address`, which is its /readyz. */
export class NatsTrouble {
  #address;
  #changed;
  #askAt = Infinity; // of performance.now()

  /** `changed()` is called when `refused` is another. */
  constructor(address, changed) {
    this.#address = address;
    this.#changed = changed;
    this.refused = false; // NATS does not take the gateway's credentials
  }

  /** Call it now and then with whether NATS is down. */
  watch(down) {
    const now = performance.now();
    if (!down) {
      this.#askAt = Infinity;
      this.refused = false;
    } else if (this.#askAt === Infinity) {
      this.#askAt = now + PATIENCE;
    } else if (now >= this.#askAt) {
      this.#askAt = now + EVERY;
      this.#ask();
    }
  }

  async #ask() {
    let status = "";
    try {
      ({ status } = await (await fetch(this.#address, { cache: "no-store" })).json());
    } catch {
      // a proxy may not pass it on
    }
    const refused = status === "nats_auth" && this.#askAt !== Infinity;
    if (refused === this.refused) return;
    this.refused = refused;
    this.#changed();
  }
}
