/** The same text on its own: a part of a frame would keep all of the frame in memory. */
export function ownText(text) {
  return globalThis.structuredClone?.(text) ?? JSON.parse(JSON.stringify(text));
}
