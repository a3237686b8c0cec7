import { fromTemplate, part, setText } from "./dom.js";
import { placeBeside } from "./placed.js";
import { Popup } from "./popup.js";
import { Teller } from "./teller.js";
import { Alarms } from "../model/alarms.js";
import { Digest } from "../model/digest.js";
import { duration } from "../model/duration.js";
import { count } from "../model/format.js";
import { preview } from "../model/payload.js";
import { Silence } from "../model/silence.js";

const EVERY = 1_000; // ms between two looks at what is silent
const LONGEST = 60; // characters of a filter or a payload
const element = (id) => document.getElementById(`tell-${id}`);

/** The bell: tells of messages that a filter lets through, and of subscriptions that are silent. */
export class TellPanel {
  #alarms;
  #silence = new Silence();
  #teller = new Teller();
  #digest = new Digest((what) => this.#reach(what));
  #filterBar;
  #feed;
  #announcer;

  /** `storage` is like localStorage. */
  constructor(storage, { filterBar, feed, announcer }) {
    this.#alarms = new Alarms(storage);
    this.#filterBar = filterBar;
    this.#feed = feed;
    this.#announcer = announcer;
    new Popup(element("panel"), element("button"), { opens: () => this.#opens() });
    element("filter").addEventListener("click", () => this.#add());
    element("silence").addEventListener("change", ({ target }) => this.#alarms.set({ silence: Number(target.value) }));
    element("sound").addEventListener("change", ({ target }) => this.#choose("sound", target.checked));
    element("notify").addEventListener("change", ({ target }) => this.#askToNotify(target.checked));
    setInterval(() => this.#look(), EVERY);
    this.#show();
  }

  /** How often something was told since the reader looked. */
  get unseen() {
    return this.#alarms.unseen;
  }

  /** Takes an entry that has just come. */
  arrived(entry) {
    const rule = this.#alarms.rule(entry);
    if (rule) this.#tell({ title: entry.subject, body: short(preview(entry)) });
  }

  #look() {
    const { subscriptions } = this.#feed;
    const { silence } = this.#alarms;
    for (const pattern of this.#silence.look(subscriptions, silence)) {
      this.#tell({ title: pattern, body: `Nothing came for ${duration(silence)}` });
    }
    [...element("rules").children].forEach((line, place) => showTimes(line, this.#alarms.rules[place]));
  }

  #tell(what) {
    this.#alarms.unseen += 1;
    this.#name();
    this.#digest.add(what);
  }

  #reach(what) {
    this.#announcer.say(`${what.title}: ${what.body}`);
    if (this.#alarms.sound) this.#teller.tone();
    if (this.#alarms.notify) this.#teller.notify(what);
    if (this.#alarms.sound || this.#alarms.notify) this.#teller.buzz();
  }

  #opens() {
    this.#alarms.unseen = 0;
    this.#show();
    placeBeside(element("button"), element("panel"));
  }

  #show() {
    const { rules, silence, sound, notify } = this.#alarms;
    const { text: filter } = this.#filterBar;
    element("rules").replaceChildren(...rules.map((rule) => this.#line(rule)));
    element("filter").disabled = !this.#alarms.takes(filter);
    setText(element("filter"), filter ? `Tell me when “${short(filter)}” matches` : "Set a filter, to be told when it matches");
    element("silence").value = String(silence);
    element("sound").checked = sound;
    element("notify").checked = notify && !Teller.obstacle;
    element("notify").disabled = Boolean(Teller.obstacle);
    setText(element("note"), Teller.obstacle || "Works while this page is open.");
    this.#name();
  }

  #name() {
    const { unseen, rules, silence } = this.#alarms;
    setText(element("count"), unseen ? count(unseen) : "");
    element("button").classList.toggle("on", rules.length > 0 || silence > 0);
    element("button").setAttribute("aria-label", unseen ? `Tell me when: ${count(unseen)} new` : "Tell me when");
  }

  #line(rule) {
    const { text } = rule;
    const line = fromTemplate("tell-template");
    setText(part(line, "tell-text"), text);
    showTimes(line, rule);
    const close = part(line, "tell-close");
    close.setAttribute("aria-label", `Do not tell of ${text}`);
    close.addEventListener("click", () => {
      this.#alarms.remove(text);
      this.#show();
      element("silence").focus(); // the button that had it is gone
    });
    return line;
  }

  #add() {
    this.#alarms.add(this.#filterBar.text);
    this.#show();
    element("silence").focus();
  }

  // What is heard now is heard then.
  #choose(name, chosen) {
    this.#alarms.set({ [name]: chosen });
    if (chosen) this.#teller.tone();
  }

  async #askToNotify(wanted) {
    const notify = wanted && (await this.#teller.ask());
    this.#alarms.set({ notify });
    this.#show();
  }
}

function showTimes(line, { count: times }) {
  setText(part(line, "tell-times"), `${count(times)} ${times === 1 ? "time" : "times"}`);
}

function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
