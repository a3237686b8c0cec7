/** Copies a text; false if the browser does not allow it. `host` is an element that can have the focus. */
export async function copyText(text, host = document.body) {
  // The clipboard is there only on https and on this machine itself; elsewhere the old way still works.
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, host);
  }
}

function copyBySelection(text, host) {
  const area = document.createElement("textarea");
  const { activeElement } = document;
  area.className = "out-of-sight";
  area.value = text;
  host.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  activeElement?.focus();
  return copied;
}
