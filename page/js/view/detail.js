import { About } from "./about.js";
import { CopyButton } from "./copy-button.js";
import { Cover } from "./cover.js";
import { download } from "./download.js";
import { low, part, setAttribute, setText, wide } from "./dom.js";
import { DetailMenu } from "./detail-menu.js";
import { PayloadPane } from "./payload-pane.js";
import { Plot } from "./plot.js";
import { after, before } from "../model/history.js";
import { fileName, fullText, payloadOf } from "../model/payload.js";
import { withSigns } from "../model/signs.js";

const TICK = 250; // ms between two looks for what has come

/** One message with all there is to know of it: beside the list, or as a dialog on a phone. */
export class Detail {
  #dialog;
  #source;
  #act;
  #newest;
  #filled;
  #follows = false;
  #message = null;
  #leave = null;
  #cover;
  #about;
  #menu;
  #payload;
  #plot;
  #pressed = null; // the value that opened the plot
  #ticking = 0;
  #copying;
  #say;

  /**
   * `source()` is the source that is shown, `newest(message)` the newest of the same subject in Latest,
   * `filtered()` whether there is a filter, `mayPublish()` whether anything may be published, `decoder()` loads decode.js, `say(sentence)` speaks, and `act(name, value)` does:
   * "filter" and "exclude" with `{ subject }` or `{ text }` (JSON, with the key if it has one), "only" with
   * `{ subject }` to follow nothing else, "among" with `{ entry }` to show it without the filter, "again" and "reply" to publish, and "select" with `{ entry }` when another message is shown.
   * `pinned()` are the messages that the reader pinned, `filled()` is called when another message is shown.
   * `hasColumn(path)` says whether a value has one; `act("column", { path })` adds or removes it. `uncovered()` is called when the step that it took in the browser's history is gone.
   */
  constructor(dialog, { source, newest, pinned, filtered, mayPublish, hasColumn, decoder, act, say, filled, uncovered }) {
    this.#newest = newest;
    this.#filled = filled;
    this.#dialog = dialog;
    this.#cover = new Cover(() => this.close(), uncovered);
    this.#source = source;
    this.#act = act;
    this.#say = say;
    this.#copying = new CopyButton(part(dialog, "detail-copy"), dialog, say);
    const on = { act, copy: (text) => this.#copying.copy(text), mayPublish, filtered, hasColumn, plot: (...pressed) => this.#openPlot(...pressed) };
    this.#menu = new DetailMenu(part(dialog, "menu"), on);
    const ask = (token, element) => this.#menu.ofValue(this.#message, token, element);
    this.#about = new About(dialog, (element, { label, items }) => this.#menu.show(element, label, items), on);
    this.#payload = new PayloadPane(dialog, {
      older: (message) => before(source(), message),
      filtered,
      decoder,
      plot: (token, element) => this.#openPlot(token, element),
      ask,
      pinned,
      chosen: () => low.matches && this.#plot.close(),
    });
    this.#plot = new Plot(part(dialog, "plot"), source, {
      changed: (open) => dialog.classList.toggle("plotting", open),
      closed: () => (this.#pressed?.isConnected ? this.#pressed : part(dialog, "detail-payload")).focus(),
      pick: (entry) => {
        this.follow(false);
        this.#go(entry);
      },
      more: ask,
    });
    this.#listen();
  }

  /**
   * Shows a message, and if it is to `follow` the newer ones of its subject as they come. `leave()` gives the focus
   * to something else when the detail is closed.
   */
  show(message, leave, follow = false) {
    this.#leave = leave;
    this.#fill(message);
    this.follow(follow);
    if (!this.#dialog.open) this.#open();
  }

  get open() {
    return this.#dialog.open;
  }

  /** The message that is open, null if none is. */
  get message() {
    return this.open ? this.#message : null;
  }

  close() {
    if (!this.#dialog.open) return;
    this.#dialog.close();
    this.#cover.end(); // its event comes later, when something else may cover the page
  }

  /** Shows the message of the same subject before. */
  older() {
    this.follow(false);
    this.#go(before(this.#source(), this.#message));
  }

  /** Shows the next message of the same subject. */
  newer() {
    this.follow(false);
    this.#go(after(this.#source(), this.#message));
  }

  /** Goes along with the newest message of the subject, or stays at the one that is shown. */
  follow(follows) {
    this.#follows = follows;
    setAttribute(part(this.#dialog, "detail-follow"), "aria-pressed", follows);
    if (follows) this.#goAlong();
  }

  /** Compares the message with the one that was open before; false if there is none. */
  compare() {
    return this.open && this.#payload.compare();
  }

  /** Shows all of the payload, with nothing folded. */
  unfold() {
    this.#payload.open();
  }

  /** Copies the payload as it came; false if none is open. */
  copy() {
    if (!this.open) return false;
    this.#copying.copy(fullText(this.#message));
    return true;
  }

  #listen() {
    const press = (name, action) => part(this.#dialog, `detail-${name}`).addEventListener("click", action);
    press("close", () => this.close());
    press("copy", () => this.copy());
    press("download", () => download(new Blob([payloadOf(this.#message)]), fileName(this.#message)));
    press("follow", () => this.follow(!this.#follows));
    press("older", () => this.older());
    press("newer", () => this.newer());
    press("subject", ({ currentTarget }) => this.#menu.ofSubject(this.#message, currentTarget));
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    wide.addEventListener("change", () => this.open && this.#reopen());
  }

  // The innermost of what is open closes first.
  #key(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (this.#plot.open) this.#plot.close();
    else this.close();
  }

  // show() would take the focus away from the list, and with it the arrow keys.
  #open() {
    this.#ticking = setInterval(() => this.#beat(), TICK);
    if (wide.matches) {
      this.#dialog.setAttribute("open", "");
      this.#cover.end();
    } else {
      this.#dialog.showModal();
      this.#cover.begin();
    }
  }

  #closed() {
    if (this.#dialog.open) return; // the window became wide or narrow meanwhile
    clearInterval(this.#ticking);
    this.#menu.close();
    this.#plot.close();
    this.#cover.end();
    if (!document.activeElement?.closest("dialog[open]")) this.#leave?.(); // else somebody went on from here
  }

  #reopen() {
    clearInterval(this.#ticking);
    this.#dialog.close();
    this.#open();
  }

  #fill(message) {
    this.#message = message;
    const subject = part(this.#dialog, "detail-subject");
    subject.className = message.hue === null ? "detail-subject" : `detail-subject hue-${message.hue}`;
    setText(part(subject, "detail-name"), withSigns(message.subject));
    this.#menu.close();
    this.#copying.name(message);
    this.#about.show(message);
    this.#payload.show(message);
    this.#plot.mark(message);
    this.#filled();
    this.#tick();
  }

  #beat() {
    if (this.#follows) this.#goAlong();
    this.#tick();
  }

  // Neither while a menu is open, nor while somebody marks a part of the text: both are about this message.
  #goAlong() {
    const newest = this.#newest(this.#message);
    const isBusy = this.#menu.open || (getSelection().type === "Range" && this.#dialog.contains(getSelection().anchorNode));
    if (newest && newest.seq > this.#message.seq && !document.hidden && !isBusy) this.#fill(newest);
  }

  #tick() {
    if (document.hidden) return;
    this.#about.tick();
    // A button that is disabled would lose the focus, and with it the place of whoever goes along.
    setAttribute(part(this.#dialog, "detail-older"), "aria-disabled", !before(this.#source(), this.#message));
    setAttribute(part(this.#dialog, "detail-newer"), "aria-disabled", !after(this.#source(), this.#message));
    this.#plot.update();
  }

  #go(entry) {
    if (!entry) return;
    this.#fill(entry);
    this.#act("select", { entry });
  }

  #openPlot(token, element) {
    this.#pressed = element;
    this.#say(this.#plot.show(this.#message, token));
  }
}
