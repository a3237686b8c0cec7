const SHORTEST = 500;
const LONGEST = 15_000;

/**
 * Milliseconds to wait before try `tries` (0 is the first): 0.5 s to 15 s.
 * Spread at random, so that the pages of a restarted gateway do not all return at once.
 */
export function delay(tries, random = Math.random) {
  const ceiling = Math.min(LONGEST, SHORTEST * 2 ** (tries + 1));
  return SHORTEST + random() * (ceiling - SHORTEST);
}
