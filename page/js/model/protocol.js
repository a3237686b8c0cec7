import { stringEnd } from "./json-scan.js";

const MESSAGE = '{"subject":';
const DATA = ',"data":';
const ENCODINGS = [
  ["text", ',"encoding":"text"}'],
  ["base64", ',"encoding":"base64"}'],
];
const MOST_SUBJECTS = 128; // the gateway takes no more in one request

/** The lines of a frame: one JSON object each. */
export function splitFrame(frame) {
  return frame.split("\n").filter(Boolean);
}

/**
 * What one line says: `{ kind }` is message, dropped, status, token, greeting, response or unknown.
 * A message is cut out, not parsed: its payload stays the text it was, and thousands a second cost little.
 */
export function classify(line) {
  if (line.startsWith(MESSAGE)) return message(line);
  let object;
  try {
    object = JSON.parse(line);
  } catch {
    return { kind: "unknown" };
  }
  if (object?.dropped !== undefined) return { kind: "dropped", count: Number(object.dropped) };
  if (object?.status === "token_required") return { kind: "token", reason: String(object.reason ?? "") };
  if (object?.status !== undefined) return { kind: "status", status: object.status, gap: object.gap === true };
  if (object?.connection_id !== undefined) return { kind: "greeting" };
  return object?.success === undefined ? { kind: "unknown" } : response(object);
}

function message(line) {
  const end = stringEnd(line, MESSAGE.length);
  if (end === -1 || !line.startsWith(DATA, end)) return { kind: "unknown" };
  const quoted = line.slice(MESSAGE.length, end);
  const subject = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
  const start = end + DATA.length;
  for (const [encoding, tail] of ENCODINGS) {
    if (line.endsWith(tail)) {
      return { kind: "message", subject, raw: line.slice(start, -tail.length), encoding };
    }
  }
  return { kind: "message", subject, raw: line.slice(start, -1), encoding: "json" };
}

function response({ success, action, subjects, code, message: sentence, id }) {
  return {
    kind: "response",
    success: success === true,
    action,
    subjects: Array.isArray(subjects) ? subjects : [],
    code,
    message: typeof sentence === "string" ? sentence : "The gateway refused without a reason.",
    id,
  };
}

/** Groups of subjects, each small enough for one request. */
export function inRequests(subjects) {
  const groups = [];
  for (let at = 0; at < subjects.length; at += MOST_SUBJECTS) {
    groups.push(subjects.slice(at, at + MOST_SUBJECTS));
  }
  return groups;
}

/** The text of a request. */
export function request(action, subjects, id) {
  return JSON.stringify({ subjects, action, id });
}

/** The text that shows a token. */
export function signIn(token) {
  return JSON.stringify({ token });
}

/** The close code of a token that is missing, wrong or expired. */
export const TOKEN_MISSING = 4501;

const CLOSED = {
  1009: "a frame was too big",
  1012: "the gateway is restarting",
  4008: "this page took nothing for too long",
  4029: "too many requests",
  4400: "too many requests the gateway could not accept",
  4503: "The gateway does not allow this connection.",
};

/** Whether the page may come back by itself after this close code. */
export function mayReturn(code) {
  return !(code >= 4500 && code <= 4999);
}

/** Why the connection ended, in words. */
export function closeReason(code, reason) {
  if (code === TOKEN_MISSING) return `The gateway asks for a token${reason && `: ${reason}`}.`;
  return CLOSED[code] ?? (reason || "the connection was lost");
}
