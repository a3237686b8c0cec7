import { setText } from "./dom.js";
import { download } from "./download.js";
import { placeBeside } from "./placed.js";
import { Popup } from "./popup.js";
import { exported, fileName } from "../model/export.js";
import { count } from "../model/format.js";

/** The menu that saves what is shown, or all that is kept, as a file. */
export class ExportMenu {
  #button = document.getElementById("export");
  #menu = document.getElementById("export-menu");
  #popup;
  #choices = document.getElementById("export-choices");
  #run = document.getElementById("export-run");
  #progress = document.getElementById("export-progress");
  #announcer;
  #messages;
  #running = false;

  /** `messages(which)` are those to save: "shown" or "kept". */
  constructor(announcer, messages) {
    this.#announcer = announcer;
    this.#messages = messages;
    this.#popup = new Popup(this.#menu, this.#button, { opens: () => placeBeside(this.#button, this.#menu) });
    this.#choices.addEventListener("click", ({ target }) => {
      const { which, format } = target.closest("button")?.dataset ?? {};
      if (format) this.#save(which, format);
    });
    document.getElementById("export-stop").addEventListener("click", () => (this.#running = false));
  }

  /** Says how many messages each choice would save: `{ shown, kept }`. */
  show(numbers) {
    for (const [which, number] of Object.entries(numbers)) {
      setText(document.getElementById(`export-${which}`), `${count(number)} ${number === 1 ? "message" : "messages"}`);
      for (const button of this.#choices.querySelectorAll(`[data-which="${which}"]`)) button.disabled = !number;
    }
  }

  async #save(which, format) {
    const messages = this.#messages(which);
    const name = fileName(format, Date.now());
    this.#become(true);
    const blob = await exported(messages, format, (part) => this.#advance(part));
    this.#become(false);
    this.#popup.hide();
    if (blob) download(blob, name);
    this.#announcer.say(blob ? `${count(messages.length)} messages saved as ${name}` : "Export stopped, nothing saved");
  }

  #become(running) {
    this.#running = running;
    this.#choices.hidden = running;
    this.#run.hidden = !running;
    this.#progress.value = 0;
  }

  #advance(part) {
    this.#progress.value = part;
    return this.#running;
  }
}
