const written = new WeakMap(); // the text of each element, as it was before a translator came

/**
 * Writes text only where it differs, so that what stands still costs no layout. A translator of the browser
 * puts other text there, or elements, which stay until there is something new to say.
 */
export function setText(element, text) {
  if (written.get(element) === text) return;
  written.set(element, text);
  const node = element.firstChild;
  if (node?.nodeType === Node.TEXT_NODE && !node.nextSibling) node.data = text;
  else element.textContent = text;
}

/** Sets the text of a mark. Without one it is hidden, or its title would be read out for each message. */
export function setMark(element, text) {
  setText(element, text);
  if (element.hidden === Boolean(text)) element.hidden = !text;
}

/** Writes an attribute only where it differs. */
export function setAttribute(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** A copy of the one element in the template `id`. */
export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** The descendant whose class is `name`. */
export function part(element, name) {
  return element.querySelector(`.${name}`);
}

/** Whether there is room for the detail beside the list. The same width stands in messages.css. */
export const wide = matchMedia("(min-width: 900px)");

/** Characters of a payload that are in sight in a row, at least. */
export function roomInRow() {
  return wide.matches ? 48 : 28;
}

/** Whether a plot takes the place of the payload. The same sizes stand in detail.css. */
export const low = matchMedia("(min-width: 900px) and (max-height: 699px), (max-height: 520px)");

/** Whether there is a mouse; where there is none, a field in focus brings up a keyboard over the page. */
export const hovers = matchMedia("(hover: hover)");
