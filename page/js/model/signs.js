// What is seen by nobody, or moves what is seen: controls, marks of direction, spaces without width.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
const ONE_LINE = /\r\n|[\t\n\r]/g;
const SIGNS = { "\n": "↵", "\r": "↵", "\r\n": "↵", "\t": "⇥" };
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|\ud802|\ud803|\ud83a|\ud83b/;
const LEFT_TO_RIGHT = "\u200e";
const JOINER = "\u200d";
const PICTURE_BEFORE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]$/u;
const PICTURE_AFTER = /^\p{Extended_Pictographic}/u;

/** A text with signs, ⟨U+202E⟩, for what would be seen by nobody or deceive. Of emoji the joiners stay. */
export function withSigns(text) {
  return text.replace(UNSEEN, (unseen, at) => (joinsPictures(text, at) ? unseen : signOf(unseen)));
}

/** The same as parts `{ text, isSign }`, for those who show signs as what they are. */
export function partsWithSigns(text) {
  const parts = [];
  let from = 0;
  for (const { 0: unseen, index } of text.matchAll(UNSEEN)) {
    if (joinsPictures(text, index)) continue;
    if (index > from) parts.push({ text: text.slice(from, index), isSign: false });
    parts.push({ text: signOf(unseen), isSign: true });
    from = index + unseen.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), isSign: false });
  return parts;
}

/** A text on one line, in which also line breaks, tabs, and spaces at its ends are to be seen. */
export function oneLine(text) {
  const line = text.replace(ONE_LINE, (sign) => SIGNS[sign]);
  const dots = (spaces) => "·".repeat(spaces.length);
  return withSigns(line.replace(/^ +/, dots).replace(/ +$/, dots));
}

/** JSON on one line in which a key stays before its value, in whatever direction both are read. */
export function inOrder(json) {
  return RIGHT_TO_LEFT.test(json) ? json.replaceAll('"', `"${LEFT_TO_RIGHT}`) : json;
}

function signOf(unseen) {
  return `⟨U+${unseen.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

function joinsPictures(text, at) {
  return text[at] === JOINER && PICTURE_BEFORE.test(text.slice(Math.max(0, at - 2), at)) && PICTURE_AFTER.test(text.slice(at + 1, at + 3));
}
