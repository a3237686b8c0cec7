const READ_FOR = 60_000; // ms: some browsers begin to read the file long after the click

/** Saves a Blob as a file. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ_FOR);
}
