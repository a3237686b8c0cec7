export { matcher } from "../client.js";

/** What is wrong with a subject or pattern, as a sentence that says what to do; "" if it is sound. */
export function fault(pattern) {
  if (/[\s\u0000-\u001f\u007f]/.test(pattern)) {
    return `${quoted(pattern)} has a space or control character in it; a subject has none.`;
  }
  if (/(^|\/)[+#](\/|$)/.test(pattern)) return mqttFault(pattern);
  const parts = pattern.split(".");
  if (parts.includes("")) {
    return `${quoted(pattern)} has an empty part: put something before, between and after the dots.`;
  }
  return parts.map((part, place) => wildcardFault(parts, part, place)).find(Boolean) ?? "";
}

function wildcardFault(parts, part, place) {
  if (part === ">" && place < parts.length - 1) {
    const upTo = parts.slice(0, place + 1).join(".");
    return `> stands for the rest, so it can only come last: ${quoted(upTo)}.`;
  }
  const sign = ["*", ">"].find((wildcard) => part.length > 1 && part.includes(wildcard));
  if (!sign) return "";
  const stem = part.replaceAll(sign, "");
  const hint = stem ? `, as in ${quoted(`${stem}.${sign}`)}` : "";
  return `${quoted(part)}: ${sign} must stand alone between dots${hint}.`;
}

function mqttFault(pattern) {
  const subject = pattern.replaceAll("/", ".").replaceAll("+", "*").replaceAll("#", ">");
  return `${quoted(pattern)} is how MQTT writes it; NATS says ${quoted(subject)}.`;
}

function quoted(text) {
  return `“${text}”`;
}
