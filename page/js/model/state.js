const LONG_WAIT = 10_000;
const NAMED = 3;
const FULL = "there is no room for all that came since: the oldest of it is not kept";

/**
 * The state of the page in words: `{ name, word, hint, action, why }`; action labels the button, "" for none,
 * and `why` is what is wrong, without what changes each second.
 * `facts`: { link, reason, tries, tokenWanted, retryIn, natsDown, natsRefuses, stored, paused, unseen, following, heard, waited }, times
 * in ms; `stored` are those of `following` that come from streams.
 */
export function describe(facts) {
  const { link, reason, tries, tokenWanted, natsDown, natsRefuses, paused, unseen, following, heard } = facts;
  if (link === "stopped") return state("error", "Not connected", reason, tokenWanted ? "" : "Try again", reason);
  if (link === "waiting") return retrying(facts);
  if (link === "connecting" && tries) return state("reconnecting", "Reconnecting", `try ${tries}${reason && `: ${reason}`}`, "", reason);
  if (link === "connecting") return state("connecting", "Connecting", "");
  if (natsDown) {
    const why = natsRefuses ? "NATS refuses the gateway's credentials; " : "";
    return state("reconnecting", "NATS is out of reach", `${why}${meanwhile(facts)}`, "", why);
  }
  if (!following.length) return state("idle", "Connected", ""); // nothing can come, so nothing is held back
  if (paused) return state("paused", "Paused", unseen ? FULL : "");
  return heard ? state("live", "Live", "") : state("waiting", "Live", waitingHint(facts));
}

function meanwhile({ following, stored = [] }) {
  if (!stored.length) return "the gateway keeps trying; messages meanwhile are missed";
  if (stored.length < following.length) return "the gateway keeps trying; what no stream stores meanwhile is missed";
  return "the gateway keeps trying; what streams store meanwhile comes later";
}

function state(name, word, hint, action = "", why = "") {
  return { name, word, hint, action, why };
}

function retrying({ reason, tries, retryIn }) {
  const seconds = Math.max(1, Math.ceil(retryIn / 1000));
  return state("reconnecting", "Reconnecting", `in ${seconds} s, try ${tries}: ${reason}`, "Now", reason);
}

function waitingHint({ following, stored = [], waited }) {
  if (waited < LONG_WAIT) return `Waiting for a message on ${list(following)}`;
  if (stored.length) return "Nothing yet. The clock beside a subject brings what came before.";
  return "Nothing yet. Is anyone publishing? In a pattern * is one part, > the rest.";
}

function list(patterns) {
  const named = patterns.slice(0, NAMED).join(", ");
  const more = patterns.length - NAMED;
  return more > 0 ? `${named} and ${more} more` : named;
}
