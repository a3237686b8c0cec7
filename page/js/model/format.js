const utf8 = new TextEncoder();
const grouped = new Intl.NumberFormat("en-US");
/** 1234567 as "1,234,567". */
export function count(number) {
  return grouped.format(number);
}

/** "212 B", "1.4 kB", "3.0 MB". */
export function bytes(size) {
  if (size < 1000) return `${size} B`;
  if (size < 999_950) return `${(size / 1000).toFixed(1)} kB`;
  return `${(size / 1e6).toFixed(1)} MB`;
}

/** How many bytes a text is in UTF-8. */
export function utf8Length(text) {
  return utf8.encode(text).length;
}
