import { Address } from "./view/address.js";
import { Announcer } from "./view/announce.js";
import { Chips } from "./view/chips.js";
import { Counters } from "./view/counters.js";
import { Detail } from "./view/detail.js";
import { setText, wide } from "./view/dom.js";
import { Feed } from "./model/feed.js";
import { Field } from "./view/field.js";
import { count } from "./model/format.js";
import { MessageList } from "./view/list.js";
import { SignIn } from "./view/sign-in.js";
import { Socket, streamUrl } from "./model/socket.js";
import { describe } from "./model/state.js";
import { Status } from "./view/status.js";

const FIGURES_EVERY = 250; // figures that change sixty times a second cannot be read
const TICK = 500;
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
const detail = new Detail(element("detail"), {
  source: () => pause?.rows ?? feed.ring,
  act: () => {},
  say: (sentence) => announcer.say(sentence),
});
const status = new Status(announcer, () => socket.retryNow());
const signIn = new SignIn((token) => socket.useToken(token));
const list = new MessageList(element("messages"), {
  hold: (byReader) => hold(byReader),
  bottom: () => pause?.byScrolling && resume(),
  pick: (entry, open) => pick(entry, open),
  repaint: () => repaint(),
});

let pause = null; // { rows, received, byScrolling } while the list stands still
let waitingSince = Date.now();
let paintDue = false;
let figuresAt = 0;

/** Does what was typed or pressed; returns a sentence if part of it made no sense. */
function enter({ action, subjects }) {
  const odd = action === "subscribe" ? feed.subscribe(subjects) : feed.unsubscribe(subjects);
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
  pause ??= { rows: feed.ring.snapshot(), received: feed.received, byScrolling: true };
  if (byReader) pause.byScrolling = false;
  list.show(pause.rows, false);
  showFigures();
  repaint();
}

function resume() {
  if (pause) feed.tellUnseen(pause.received);
  pause = null;
  list.show(feed.ring, true);
  showFigures();
  repaint();
}

function pick(entry, open) {
  if (entry.kind !== "message") return;
  if (open || wide.matches) detail.show(entry, element("messages"));
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
  showPause();
  address.replace(feed.subscriptions.followed);
  const nothing = !feed.ring.length && !feed.subscriptions.size;
  if (nothing && pause) resume(); // an empty list has nothing to stand still for
  element("empty").hidden = !nothing;
  element("pause").disabled = nothing;
  element("messages").hidden = nothing;
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
  for (const example of document.querySelectorAll("[data-subject]")) {
    example.addEventListener("click", () => enter({ action: "subscribe", subjects: [example.dataset.subject] }));
  }
  addEventListener("hashchange", readAddress);
}

list.show(feed.ring, true);
listenToReader();
readAddress();
socket.start();
setInterval(() => counters.showRate(feed), 1_000);
setInterval(showFigures, TICK);
