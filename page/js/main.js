import { Client } from "./client.js";
import { complete } from "./model/completions.js";
import { messagesOf } from "./model/export.js";
import { Feed } from "./model/feed.js";
import { count } from "./model/format.js";
import { NatsTrouble } from "./model/nats-trouble.js";
import { browserStorage } from "./model/preferences.js";
import { Ring } from "./model/ring.js";
import { Shown } from "./model/shown.js";
import { acts } from "./view/acts.js";
import { Address } from "./view/address.js";
import { Announcer } from "./view/announce.js";
import { Chips } from "./view/chips.js";
import { ColumnHeads } from "./view/column-heads.js";
import { Completer } from "./view/completer.js";
import { listenToReader } from "./view/controls.js";
import { Counters } from "./view/counters.js";
import { Detail } from "./view/detail.js";
import { wide } from "./view/dom.js";
import { allLoaded, takeUpEarly } from "./view/early.js";
import { Exploring } from "./view/exploring.js";
import { ExportMenu } from "./view/export-menu.js";
import { Field } from "./view/field.js";
import { FileBand } from "./view/file-band.js";
import { FilterBar } from "./view/filter-bar.js";
import { Following } from "./view/following.js";
import { Greeting } from "./view/greeting.js";
import { Latest } from "./view/latest.js";
import { MessageList } from "./view/list.js";
import { Marks } from "./view/marks.js";
import { Missed } from "./view/missed.js";
import { Painter } from "./view/painter.js";
import { PinStrip } from "./view/pin-strip.js";
import { standard } from "./view/preferred.js";
import { Publishing } from "./view/publishing.js";
import { Pulse } from "./view/pulse.js";
import { Reading } from "./view/reading.js";
import { showRooms } from "./view/rooms.js";
import { share } from "./view/share.js";
import { StateLine } from "./view/state-line.js";
import { TellPanel } from "./view/tell-panel.js";
import { Toast } from "./view/toast.js";
import { ViewMenu } from "./view/view-menu.js";
import { Views } from "./view/views.js";
import { Wall } from "./view/wall.js";

const FIGURES_EVERY = 250; // figures that change sixty times a second cannot be read
const TICK = 500;
const MANY = 100; // messages a second that nobody can read one by one
const element = (id) => document.getElementById(id);

const address = new Address();
const announcer = new Announcer(element("announcer"));
const toast = new Toast(element("toast"), announcer, () => leave());
const painter = new Painter(paint, () => pulse.rate > MANY);
const client = new Client({ url: new URL("../../stream", import.meta.url) });
const natsTrouble = new NatsTrouble(new URL("../../readyz", import.meta.url), () => stateLine.show());
const feed = new Feed({
  ring: new Ring(standard.count, standard.chars),
  client,
  arrived: (entry) => {
    shown.arrived(entry);
    tellPanel.arrived(entry);
  },
  changed: () => painter.ask(),
  refused: (sentence) => field.explain(sentence),
  denied: (pattern) => following.offer(pattern),
  told: (sentence) => announcer.say(sentence),
});
const shown = new Shown(feed.ring, () => {
  showFilter(true);
  painter.ask(true);
});
const list = new MessageList(element("messages"), {
  hold: (byReader) => reading.hold(byReader),
  newest: () => reading.scrolledBack(),
  pick: (entry, open) => pick(entry, open),
  repaint: () => painter.ask(true),
});
const latest = new Latest(element("latest"), {
  pick: (entry, open) => pick(entry, open),
  repaint: () => painter.ask(true),
});
const exploring = new Exploring(element("tree"), { client, feed, shown, announcer, painter });
const reading = new Reading({ feed, shown, list, tables: [latest, exploring.tree], changed: refresh });
latest.doubts = (message) => feed.losses.concern(message);
const columnHeads = new ColumnHeads({ views: [list, latest], toast, changed: refresh });
const views = new Views(element("view-switch"), { list, latest, tree: exploring.tree, changed: refresh });
const marks = new Marks([...document.querySelectorAll(".rows")], element("detail-payload"), announcer);
const filterBar = new FilterBar(announcer, {
  changed: (filter) => {
    shown.filterBy(filter);
    for (const view of [marks, list, latest]) view.finds = filter.marks;
  },
  hideSystem: (hides) => shown.hideSystem(hides),
  leave,
});
const exportMenu = new ExportMenu(announcer, (which) => messagesOf(which === "shown" ? shown.source : feed.ring));
const field = new Field(announcer, (entry) => following.enter(entry));
const chips = new Chips(element("chips"), {
  remove: (pattern) => following.remove([pattern]),
  ask: (pattern, history) => following.ask(pattern, history),
});
const following = new Following({
  feed,
  chips,
  toast,
  changed: () => {
    address.push(view());
    showFigures();
  },
});
const greeting = new Greeting(element("empty"), (subjects) => following.enter({ action: "subscribe", subjects }));
const counters = new Counters();
const missed = new Missed(feed.losses, { show: showLoss, dismissed: leave });
const pinStrip = new PinStrip({
  open: (entry) => pick(entry, true),
  opened: () => detail.message,
  say: (sentence) => announcer.say(sentence),
  leave,
});
const detail = new Detail(element("detail"), {
  source: () => shown.base,
  newest: (message) => latest.newest(message),
  pinned: () => pinStrip.pins.all,
  filled: () => pinStrip.mark(),
  decoder: () => import(new URL("../js/decode/decode.js", import.meta.url)), // where it is, too, for modules joined into one
  mayPublish: () => client.mayPublish,
  hasColumn: (path) => columnHeads.columns.has(path),
  filtered: () => filterBar.text !== "",
  act: (name, value) => act[name](value),
  say: (sentence) => announcer.say(sentence),
  uncovered: () => address.carry(view()),
});
const publishing = new Publishing({
  client,
  rows: () => feed.table.rows,
  opens: () => detail.close(),
  leave,
  uncovered: () => address.carry(view()),
});
const tellPanel = new TellPanel(browserStorage(), { filterBar, feed, announcer });
const fileBand = new FileBand({ reading, detail, toast, leave });
new ViewMenu(browserStorage(), { address, fileBand, announcer });
const pulse = new Pulse(feed, chips);
const wall = new Wall({ reading, toast, changed: () => address.push(view()) });
const stateLine = new StateLine(announcer, leave, { client, feed, natsTrouble, reading, following, pulse, tellPanel, wall });
new Completer(element("subjects"), element("completions"), (text, cursor, asked) =>
  complete(text, cursor, { rows: [...feed.table.rows, ...exploring.rows], followed: feed.subscriptions.followed, earlier: following.earlier }, asked),
);

const act = acts({ filterBar, following, views, list, reading, toast, publishing, columnHeads });
let figuresAt = 0;
exploring.begin({ views, following, act, pick });

/** What the address holds. */
function view() {
  return { wanted: feed.subscriptions.wanted, filter: filterBar.wanted, view: views.name, wall: wall.on, columns: columnHeads.columns.paths };
}

function readAddress() {
  const { wanted, filter, view: name, wall: wantsWall, columns } = address.read();
  columnHeads.become(columns);
  views.show(name);
  wall.show(wantsWall);
  if (filter !== filterBar.wanted) filterBar.offer(filter);
  following.become(wanted);
  showFigures();
}

// What has the focus goes: who works by keyboard goes on with the messages, or begins with the subjects.
function leave() {
  const { grid } = views;
  (grid.hidden || grid.closest("[hidden]") ? element("subjects") : grid).focus();
}

function clear() {
  if (!feed.ring.length) return;
  const { kept, undo } = reading.clear();
  detail.close();
  leave();
  toast.show(`Cleared ${kept === 1 ? "1 message" : `${count(kept)} messages`}.`, undo);
}

function pick(entry, open) {
  if (entry.kind !== "message" || (!open && !wide.matches)) return;
  publishing.close();
  detail.show(entry, leave, views.name !== "log");
}

function showLoss(seq) {
  views.show("log");
  list.mark(seq);
  leave();
}

function refresh() {
  showFigures();
  painter.ask(true);
}

function paint() {
  reading.refresh();
  list.paint();
  latest.paint();
  exploring.paint();
  const now = performance.now();
  if (now - figuresAt < FIGURES_EVERY) return;
  figuresAt = now;
  setTimeout(showFigures, FIGURES_EVERY);
  showFigures();
}

function showFigures() {
  stateLine.show();
  counters.show(feed);
  missed.show(feed.losses);
  chips.show(feed.subscriptions);
  reading.name(element("pause"));
  publishing.show();
  showFilter();
  latest.paint();
  exploring.paint();
  address.replace(view());
  const nothing = !feed.ring.length && !feed.subscriptions.followed.length && !reading.isFile;
  fileBand.show(reading.isFile);
  greeting.show(feed.rights, client.testSubject);
  if (nothing && reading.paused) reading.resume(); // an empty list has nothing to stand still for
  showRooms(feed, nothing, views.name === "tree");
}

function showFilter(anew = false) {
  for (const each of [latest, exploring]) each.filter(shown.newestOf, anew);
  filterBar.show(shown, views.latest ? latest.numbers : null);
  exportMenu.show({ shown: shown.count, kept: feed.ring.kept });
}

reading.resume();
listenToReader({ reading, list, views, detail, publishing, filterBar, following, feed, marks, pinStrip, act, clear, share: () => share(toast), refresh });
addEventListener("hashchange", readAddress);
readAddress();
client.addEventListener("state", () => stateLine.show());
setInterval(showFigures, TICK);
takeUpEarly();
allLoaded();
