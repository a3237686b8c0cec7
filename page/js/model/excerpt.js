import { fullText, preview, previewFrom } from "./payload.js";

const SEARCHED = 65_536; // characters
const BEFORE = 12; // characters in front of what was found

/**
 * The line of a message for a list in which what a filter found is in sight: it begins near the first place that one
 * of `finds` finds, if that is not among the first `room` characters.
 */
export function excerpt(message, finds, room) {
  if (!finds.length) return preview(message);
  const known = message.excerpt;
  if (known?.finds === finds && known.room === room) return known.text;
  const text = begunNear(message, finds, room);
  message.excerpt = { finds, room, text };
  return text;
}

function begunNear(message, finds, room) {
  const text = fullText(message).slice(0, SEARCHED);
  const found = finds.map((find) => text.matchAll(find).next().value).filter((match) => match?.[0]);
  const isInSight = found.some(({ 0: { length }, index }) => index + Math.min(length, room / 2) <= room);
  if (isInSight || !found.length) return preview(message);
  return previewFrom(message, Math.min(...found.map(({ index }) => index)) - BEFORE);
}
