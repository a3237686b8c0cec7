import { bytes, utf8Length } from "./format.js";

const PREVIEW = 300;
const CONTROL = /\r?\n|[\u0000-\u001f\u007f]/g;
const SIGNS = { "\n": "↵", "\r\n": "↵", "\t": "⇥" };

/** What there is to read and copy: the JSON text as it came, the text, or the base64. */
export function fullText({ raw, encoding }) {
  return encoding === "json" ? raw : JSON.parse(raw);
}

/** One short line of it for the list; control characters become their visible signs. */
export function preview(message) {
  message.preview ??= firstLine(message);
  return message.preview;
}

function firstLine(message) {
  const text = fullText(message).slice(0, PREVIEW);
  return text.replace(CONTROL, (control) => SIGNS[control] ?? "\ufffd");
}

/** Size of the payload as it travels in NATS: "212 B". */
export function sizeText(message) {
  message.size ??= payloadBytes(message);
  return bytes(message.size);
}

function payloadBytes(message) {
  const text = fullText(message);
  if (message.encoding !== "base64") return utf8Length(text);
  const padding = text.endsWith("==") ? 2 : Number(text.endsWith("="));
  return (text.length / 4) * 3 - padding;
}

/** The word that marks a payload which is not plain to see: "binary", "empty" or "". */
export function mark({ raw, encoding }) {
  if (encoding === "base64") return "binary";
  return encoding === "text" && raw === '""' ? "empty" : "";
}
