import { Found } from "../model/found.js";
import { isSystem } from "../model/shown.js";
import { patternsOf } from "../model/subject-tree.js";
import { covers } from "../model/rights.js";
import { copyText } from "./clipboard.js";
import { setText } from "./dom.js";
import { Menu } from "./menu.js";
import { Tree } from "./tree.js";

const NOTHING = "Nothing was heard yet.";
const UNMATCHED = "No subject has a message that matches.";

/** What there is to follow: the tree, and the question to the gateway, which is asked only when the reader does. */
export class Exploring {
  #client;
  #feed;
  #shown;
  #announcer;
  #parts; // { views, following, act (see acts.js), pick(message, open) }
  #buttons;
  #result;
  #none;
  #found = new Found();

  constructor(section, { client, feed, shown, announcer, painter }) {
    this.#client = client;
    this.#feed = feed;
    this.#shown = shown;
    this.#announcer = announcer;
    this.#buttons = [...document.querySelectorAll(".look")];
    this.#result = section.querySelector(".tree-found");
    this.#none = section.querySelector(".tree-none");
    const menu = new Menu(document.getElementById("tree-menu"));
    this.tree = new Tree(section, {
      open: (message) => this.#parts.pick(message, true),
      follow: (patterns) => this.#follow(patterns),
      followed: (patterns) => this.#isFollowed(patterns),
      mayFollow: (pattern) => feed.rights.mayFollow(pattern),
      menu: (node, anchor) => menu.show(anchor, node.path, this.#items(node)),
      repaint: () => painter.ask(true),
    });
    for (const button of this.#buttons) button.addEventListener("click", () => this.#begin());
  }

  /** Takes the parts of the page that are made later than it. */
  begin(parts) {
    this.#parts = parts;
  }

  /** Subjects that were found and that no message came on, as rows for completions. */
  get rows() {
    return [...this.#found.names].map(([subject, { messages }]) => ({ subject, count: 0, note: messages ? "stored" : "seen" }));
  }

  /** Asks the gateway. */
  async look(patterns) {
    for (const button of this.#buttons) button.disabled = true;
    setText(this.#result, "Looking…");
    try {
      this.#found.take(await this.#client.look(patterns));
      this.#hand();
      this.#say(this.#found.sentence);
    } catch ({ message }) {
      this.#say(message);
    } finally {
      for (const button of this.#buttons) button.disabled = false;
    }
  }

  /** Shows what passes the filter; see `Tree`. No message of what was found is there for it to pass. */
  filter(lastOf, anew) {
    this.tree.filter(lastOf, anew);
    if (anew) this.#hand();
  }

  #hand() {
    const { narrowed, hidesSystem } = this.#shown;
    const names = narrowed ? [] : [...this.#found.names];
    this.tree.take(new Map(hidesSystem ? names.filter(([subject]) => !isSystem({ subject })) : names));
  }

  /** Says why there is nothing to see, if that is so. */
  paint() {
    this.tree.paint();
    const words = this.#shown.narrowed ? UNMATCHED : [NOTHING, this.#feed.rights.sentence].join(" ");
    setText(this.#none, this.tree.visible && this.tree.empty ? words : "");
  }

  #begin() {
    this.#parts.views.show("tree");
    this.look([">"]);
  }

  #follow(subjects) {
    this.#parts.following.enter({ action: "subscribe", subjects });
  }

  #say(sentence) {
    setText(this.#result, sentence);
    this.#announcer.say(sentence);
  }

  #isFollowed(patterns) {
    const { followed } = this.#feed.subscriptions;
    return patterns.every((pattern) => followed.some((each) => covers(each, pattern)));
  }

  #items(node) {
    const { act } = this.#parts;
    const patterns = patternsOf(node);
    const below = patterns.at(-1);
    const may = patterns.every((pattern) => this.#feed.rights.mayFollow(pattern));
    return [
      may && !this.#isFollowed(patterns) && [`Follow ${patterns.join(" and ")}`, () => this.#follow(patterns)],
      [`Filter to ${below}`, () => act.filter({ subject: below })],
      [`Exclude ${below}`, () => act.exclude({ subject: below })],
      node.children.size > 0 && [`What is there under ${node.path}?`, () => this.look([`${node.path}.>`])],
      [`Copy ${node.path}`, () => copyText(node.path)],
    ];
  }
}
