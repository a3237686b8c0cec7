const WORDS = new Map([["DEL", "deleted"], ["Remove", "deleted"], ["PURGE", "purged"], ["Purge", "purged"], ["MaxAge", "expired"]]);

/** What is known of a message by the stream that stores it, `{ seq, stream, epoch, replay, operation }`; null without one. */
export function storedOf({ seq, stream, epoch, replay, operation }) {
  return seq === undefined ? null : { seq, stream, epoch, replay, operation };
}

/** Whether a message was stored before somebody asked for it. */
export function isReplayed({ stored }) {
  return Boolean(stored?.replay);
}

/** The word for what was done to a key that has no value any more; "" where it has one. */
export function operationWord({ stored }) {
  const operation = stored?.operation;
  return operation ? WORDS.get(operation) ?? String(operation) : "";
}

/** Where a message is stored, in words. */
export function placeText({ stored }) {
  if (!stored) return "";
  const { seq, stream, replay, operation } = stored;
  const parts = [`${stream ? `Stored in ${stream} as` : "Stored as"} ${seq}`, operation, replay && "replayed"];
  return parts.filter(Boolean).join(" · ");
}

/** Whether `entry` came late: `last`, of the same subject, is newer. */
export function isOlder({ stored, time }, last) {
  if (!stored?.replay) return false;
  const isSame = stored.stream === last.stored?.stream && stored.epoch === last.stored?.epoch;
  return isSame ? stored.seq < last.stored.seq : time < last.time;
}
