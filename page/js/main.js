import { Address } from "./view/address.js";
import { Announcer } from "./view/announce.js";
import { Completer } from "./view/completer.js";
import { complete } from "./model/completions.js";
import { Chips } from "./view/chips.js";
import { Counters } from "./view/counters.js";
import { Detail } from "./view/detail.js";
import { setText, wide } from "./view/dom.js";
import { Feed } from "./model/feed.js";
import { Field } from "./view/field.js";
import { Latest } from "./view/latest.js";
import { count } from "./model/format.js";
import { MessageList } from "./view/list.js";
import { RateLine } from "./view/rate-line.js";
import { SignIn } from "./view/sign-in.js";
import { Socket, streamUrl } from "./model/socket.js";
import { describe } from "./model/state.js";
import { Status } from "./view/status.js";
import { ViewSwitch } from "./view/view-switch.js";

const FIGURES_EVERY = 250; // figures that change sixty times a second cannot be read
const TICK = 500;
const RATES_EVERY = 1_000;
const REMEMBERED = 20;
const element = (id) => document.getElementById(id);

const address = new Address();
const announcer = new Announcer(element("announcer"));
const socket = new Socket(streamUrl(document.baseURI), {
  open: () => feed.opened(),
  text: (frame) => feed.receive(frame),
  close: () => feed.closed(),
  change: () => showState(),
});
const feed = new Feed({
  send: (text) => socket.send(text),
  changed: () => repaint(),
  refused: (sentence) => field.explain(sentence),
  tokenRequired: () => socket.askForToken(),
});
const field = new Field(announcer, enter);
const chips = new Chips(element("chips"), (pattern) => enter({ action: "unsubscribe", subjects: [pattern] }));
const counters = new Counters();
const detail = new Detail(element("detail"));
const status = new Status(announcer, () => socket.retryNow());
const signIn = new SignIn((token) => socket.useToken(token));
const list = new MessageList(element("messages"), {
  hold: (byReader) => hold(byReader),
  bottom: () => pause?.byScrolling && resume(),
  pick: (entry, open) => pick(entry, open),
  repaint: () => repaint(),
});
const latest = new Latest(element("latest"), { pick: (entry, open) => pick(entry, open), repaint: () => repaint() });
const viewSwitch = new ViewSwitch(element("view-switch"), (view) => showView(view));
const rateLine = new RateLine();
new Completer(element("subjects"), element("completions"), (text, cursor, asked) =>
  complete(text, cursor, { rows: feed.table.rows, followed: feed.subscriptions.followed, earlier }, asked),
);

let earlier = []; // subjects that were asked for, newest first
let ratesAt = performance.now();
let pause = null; // { rows, received, byScrolling } while the list stands still
let waitingSince = Date.now();
let paintDue = false;
let figuresAt = 0;

/** Does what was typed or pressed; returns a sentence if part of it made no sense. */
function enter({ action, subjects }) {
  const odd = action === "subscribe" ? feed.subscribe(subjects) : feed.unsubscribe(subjects);
  if (action === "subscribe") earlier = [...new Set([...subjects, ...earlier])].slice(0, REMEMBERED);
  address.push(feed.subscriptions.followed);
  waitingSince = Date.now();
  showFigures();
  if (action === "unsubscribe") return odd.length ? `Not subscribed to ${odd.join(", ")}.` : "";
  chips.flash(odd);
  return "";
}

function readAddress() {
  const wanted = address.read();
  const { patterns } = feed.subscriptions;
  const gone = patterns.filter((pattern) => !wanted.includes(pattern));
  if (gone.length) feed.unsubscribe(gone);
  feed.subscribe(wanted.filter((pattern) => !patterns.includes(pattern)));
  showFigures();
}

/** Lets the list stand still on a copy, while the newest go on being received and kept. */
function hold(byReader = false) {
  pause ??= { rows: feed.ring.snapshot(), table: feed.table.snapshot(), received: feed.received, byScrolling: true };
  if (byReader) pause.byScrolling = false;
  list.show(pause.rows, false);
  latest.show(pause.table);
  showFigures();
  repaint();
}

function resume() {
  if (pause) feed.tellUnseen(pause.received);
  pause = null;
  list.show(feed.ring, true);
  latest.show(feed.table);
  showFigures();
  repaint();
}

function showView(view) {
  viewSwitch.show(view);
  latest.visible = view === "latest";
  repaint();
}

function pick(entry, open) {
  if (entry.kind !== "message") return;
  if (open || wide.matches) detail.show(entry, element(latest.visible ? "latest-grid" : "messages"));
}

function showState() {
  const { subscriptions } = feed;
  const state = describe({
    link: socket.state,
    reason: socket.reason,
    tries: socket.tries,
    retryIn: socket.retryAt - Date.now(),
    natsDown: feed.natsDown,
    paused: pause !== null,
    following: subscriptions.followed,
    heard: [...subscriptions].some(({ count: messages }) => messages > 0),
    waited: Date.now() - waitingSince,
  });
  const aloneInList = state.name === "waiting" && !feed.ring.length;
  signIn.show(socket.tokenWanted && socket.state === "stopped");
  setText(element("waiting"), aloneInList ? state.hint : "");
  status.show(aloneInList ? { ...state, hint: "" } : state);
}

function repaint() {
  if (paintDue) return;
  paintDue = true;
  requestAnimationFrame(paint);
}

function paint() {
  paintDue = false;
  list.paint();
  latest.paint();
  const now = performance.now();
  if (now - figuresAt < FIGURES_EVERY) return;
  figuresAt = now;
  setTimeout(showFigures, FIGURES_EVERY);
  showFigures();
}

function showFigures() {
  showState();
  counters.show(feed);
  chips.show(feed.subscriptions);
  latest.paint();
  showPause();
  address.replace(feed.subscriptions.followed);
  const nothing = !feed.ring.length && !feed.subscriptions.size;
  if (nothing && pause) resume(); // an empty list has nothing to stand still for
  element("empty").hidden = !nothing;
  element("pause").disabled = nothing;
  element("messages").hidden = nothing;
  element("latest").hidden = nothing;
  element("toolbar").hidden = nothing;
}

/** A timer may be late, in a hidden tab by a minute, so rates go by the time that has passed. */
function showRates() {
  const now = performance.now();
  const seconds = (now - ratesAt) / 1000;
  if (!seconds) return;
  ratesAt = now;
  feed.table.tick(seconds);
  chips.tick(feed.subscriptions, seconds);
  rateLine.show(feed.rates.at(Date.now()));
}

function showPause() {
  const arrived = pause ? feed.received - pause.received : 0;
  setText(element("pause-word"), pause ? `Back to live (${count(arrived)} new)` : "Pause");
  element("pause").classList.toggle("primary", pause !== null);
}

function listenToReader() {
  element("pause").addEventListener("click", () => (pause ? resume() : hold(true)));
  element("messages").addEventListener("keydown", (event) => {
    if (event.key === " ") pause ? resume() : hold(true);
    else if (event.key === "End") resume();
    else if (event.key === "Escape") detail.close();
    else return;
    event.preventDefault();
  });
  element("latest-grid").addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return; // on a heading Space sorts
    if (event.key === " ") pause ? resume() : hold(true);
    else if (event.key === "Escape") detail.close();
    else return;
    event.preventDefault();
  });
  for (const example of document.querySelectorAll("[data-subject]")) {
    example.addEventListener("click", () => enter({ action: "subscribe", subjects: [example.dataset.subject] }));
  }
  addEventListener("hashchange", readAddress);
}

list.show(feed.ring, true);
latest.show(feed.table);
listenToReader();
readAddress();
socket.start();
setInterval(showRates, RATES_EVERY);
setInterval(showFigures, TICK);
