import { Edge } from "./edge.js";
import { Find } from "./find.js";
import { Keys } from "./keys.js";
import { applier } from "./preferred.js";
import { Settings } from "./settings.js";
import { browserStorage, Preferences } from "../model/preferences.js";

const element = (id) => document.getElementById(id);

/** Lets keys, buttons and preferences act on the parts of the page; `act` (see acts.js), `clear()`, `share()`, `refresh()` do so. */
export function listenToReader({ reading, list, views, detail, publishing, filterBar, following, feed, marks, pinStrip, act, clear, share, refresh }) {
  const showHelp = () => element("help").showModal();
  const storage = browserStorage();
  const edge = new Edge(element("detail"), storage);
  new Find(element("detail"), marks, () => detail.unfold());
  const keys = new Keys({
    " ": () => reading.toggle(),
    p: () => publishing.toggle(),
    End: () => reading.resume(),
    g: () => reading.resume(),
    ArrowUp: () => views.press("ArrowUp"),
    ArrowDown: () => views.press("ArrowDown"),
    k: () => views.press("ArrowUp"),
    j: () => views.press("ArrowDown"),
    Enter: () => views.press("Enter"),
    c: () => detail.copy(),
    s: () => element("subjects").focus(),
    "/": () => filterBar.focus(),
    f: () => act.among({ entry: detail.message ?? list.selected }),
    n: () => marks.step(1),
    N: () => marks.step(-1),
    l: () => views.show(views.latest ? "log" : "latest"),
    t: () => views.show(views.name === "tree" ? "log" : "tree"),
    w: () => edge.toggleWhole(),
    i: () => pinStrip.toggle(detail.message ?? (views.latest ? null : list.selected)),
    "=": () => detail.compare(),
    x: clear,
    "?": showHelp,
    Escape: () => {
      detail.close();
      publishing.close();
    },
  });
  new Settings(element("settings"), new Preferences(storage), applier({ reading, list, keys, refresh }));
  const press = (id, action) => element(id).addEventListener("click", action);
  press("pause", () => reading.toggle());
  press("clear", clear);
  press("share", share);
  press("help-button", showHelp);
  press("remove-all", () => {
    following.remove(feed.subscriptions.patterns);
    element("subjects").focus();
  });
}
