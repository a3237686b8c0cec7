import { partsWithSigns } from "../model/signs.js";

/** Nodes for a text in which what nobody would see is shown as a sign. */
export function signed(text) {
  return partsWithSigns(text).map((part) => {
    if (!part.isSign) return part.text;
    const span = document.createElement("span");
    span.className = "sign";
    span.textContent = part.text;
    return span;
  });
}
