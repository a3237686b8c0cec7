import { Cover } from "./cover.js";
import { hovers, wide } from "./dom.js";
import { Outcome } from "./outcome.js";
import { PublishForm } from "./publish-form.js";
import { parseHeaders } from "../model/outgoing.js";
import { browserStorage } from "../model/preferences.js";
import { Sent } from "../model/sent.js";

const element = (id) => document.getElementById(id);

/** The panel from which the reader publishes and asks: beside the list, or a sheet on a phone. */
export class Publishing {
  #dialog = element("publish");
  #button = element("publish-button");
  #here = element("publish-here"); // in the greeting
  #outcome = new Outcome();
  #form;
  #client;
  #opens;
  #leave;
  #before = document.body; // what had the focus
  #cover;
  #waits = false;

  /**
   * `rows()` are those of the subject table. `opens()` is called before the panel takes its place, `leave()`
   * gives the focus to something else, `uncovered()` tells that the step which it took in the browser's history is gone.
   */
  constructor({ client, rows, opens, leave, uncovered }) {
    this.#client = client;
    this.#opens = opens;
    this.#leave = leave;
    this.#cover = new Cover(() => this.close(), uncovered);
    this.#form = new PublishForm({ rows, sent: new Sent(browserStorage()), changed: () => this.#form.mark("") });
    this.#listen();
  }

  /** Shows the buttons only where something may be published. */
  show() {
    const { mayPublish } = this.#client;
    if (this.#button.hidden !== mayPublish) return;
    this.#button.hidden = this.#here.hidden = !mayPublish;
    if (!mayPublish) this.close();
  }

  /** Opens or closes it; false where nothing may be published. */
  toggle() {
    if (this.#button.hidden) return false;
    if (this.#dialog.open) this.close();
    else this.#open();
    return true;
  }

  /** Opens it with `values` in its fields, `note` being a sentence on them; what was typed can be had back. */
  begin({ values, note }) {
    this.#form.fill(values);
    this.#form.mark("");
    this.#outcome.note("");
    const tell = () => note && this.#outcome.note(note); // where it is in sight
    if (this.#dialog.open) tell();
    else this.#open(tell);
  }

  /** Closes it; what is typed stays. Who was in it is back where it was opened. */
  close() {
    if (!this.#dialog.open) return;
    const hadFocus = this.#dialog.contains(document.activeElement);
    this.#dialog.close();
    if (!hadFocus) return;
    if (this.#before === document.body) this.#leave();
    else this.#before.focus({ preventScroll: true });
  }

  #listen() {
    for (const place of [this.#button, this.#here.firstElementChild]) place.addEventListener("click", () => this.toggle());
    element("publish-close").addEventListener("click", () => this.close());
    element("publish-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send("publish");
    });
    element("publish-request").addEventListener("click", () => this.#send("request"));
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#dialog.addEventListener("close", () => this.#closed());
    wide.addEventListener("change", () => this.#dialog.open && this.#reopen());
  }

  #open(opened = () => {}) {
    this.#before = document.activeElement;
    this.#opens();
    if (this.#before.closest("dialog")) this.#before = document.body; // it is gone
    Cover.whenFree(() => {
      this.#unfold();
      if (hovers.matches) this.#form.focus(); // elsewhere a keyboard would come up over the sheet
      opened();
    });
  }

  #unfold() {
    this.#button.setAttribute("aria-expanded", "true");
    if (wide.matches) {
      this.#dialog.show();
      this.#cover.end();
    } else {
      this.#dialog.showModal();
      this.#cover.begin();
    }
  }

  #reopen() {
    this.#dialog.close();
    this.#unfold();
  }

  #closed() {
    if (this.#dialog.open) return; // the window became wide or narrow meanwhile
    this.#button.setAttribute("aria-expanded", "false");
    this.#cover.end();
  }

  #key(event) {
    const { key, target, ctrlKey, metaKey, shiftKey, isComposing } = event;
    if (isComposing) return;
    if (key === "Escape") this.close();
    else if (key === "Enter" && (ctrlKey || metaKey)) this.#send(shiftKey ? "request" : "publish");
    else if (key === "Enter" && target.id === "publish-subject") this.#form.focus("payload");
    else return;
    event.preventDefault();
    event.stopPropagation(); // it means nothing else
  }

  // One at a time, so that each outcome is seen.
  async #send(action) {
    if (this.#waits) return;
    const values = this.#form.take();
    const { headers, error } = parseHeaders(values.headers);
    if (!values.subject) return this.#putRight("subject", "Type a subject.");
    if (error) return this.#putRight("headers", error);
    this.#form.mark("");
    this.#wait(true);
    const send = this.#outcome.begin(action);
    try {
      // As text it goes byte for byte, JSON too: 1.50 stays 1.50.
      send.done(await this.#client[action](values.subject, values.payload, { encoding: values.encoding || "text", headers }));
    } catch (failure) {
      send.failed(failure);
    }
    this.#form.remember(values);
    this.#wait(false);
  }

  #putRight(name, sentence) {
    this.#form.mark(name);
    this.#form.focus(name);
    this.#outcome.explain(sentence);
  }

  // A button that is disabled would lose the focus.
  #wait(waits) {
    this.#waits = waits;
    for (const id of ["publish-send", "publish-request"]) element(id).setAttribute("aria-disabled", String(waits));
  }
}
