import { setText } from "./dom.js";
import { readFile } from "../model/exported-file.js";
import { count } from "../model/format.js";
import { span } from "../model/time.js";

const MOST_BYTES = 256 * 1024 * 1024;

/** A file that was exported, opened in place of what comes: a band above the list says so, and closes it. */
export class FileBand {
  #band = document.getElementById("file-band");
  #text = document.getElementById("file-text");
  #reading;
  #detail;
  #toast;
  #leave;
  #round = 0;

  /** `leave()` gives the focus to the messages. */
  constructor({ reading, detail, toast, leave }) {
    this.#reading = reading;
    this.#detail = detail;
    this.#toast = toast;
    this.#leave = leave;
    document.getElementById("file-close").addEventListener("click", () => this.#change(() => reading.resume()));
  }

  async open(file) {
    if (file.size > MOST_BYTES) return this.#toast.show(`${file.name} is too large: up to 256 MB can be opened.`);
    const round = (this.#round += 1);
    try {
      const found = await readFile(file);
      if (round === this.#round) this.#show(file.name, found);
    } catch {
      this.#toast.show(`${file.name} cannot be read.`);
    }
    return undefined;
  }

  /** Says whether a file is shown. */
  show(isShown) {
    this.#band.hidden = !isShown;
  }

  #show(name, found) {
    const { messages, bad, from, to } = found;
    if (!messages) return this.#toast.show(`${name} has no messages: it takes what this page exports as NDJSON.`);
    const unread = bad ? ` · ${count(bad)} ${bad === 1 ? "line is no message" : "lines are no messages"}` : "";
    setText(this.#text, `${name}: ${count(messages)} ${messages === 1 ? "message" : "messages"} of ${span(from, to)}${unread}`);
    this.#change(() => this.#reading.open(found));
    return undefined;
  }

  // A message that is open has no place in what is shown next.
  #change(act) {
    this.#detail.close();
    act();
    this.#leave();
  }
}
