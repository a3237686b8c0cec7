/** Copies a text; false if the browser does not allow it. `host` is an element that can have the focus. */
export async function copyText(text, host) {
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

const READ_FOR = 60_000; // the browser may begin to read some time after the click

/** Saves bytes as a file. */
export function download(payload, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([payload]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ_FOR);
}
