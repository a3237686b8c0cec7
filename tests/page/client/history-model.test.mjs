import assert from "node:assert/strict";
import test from "node:test";
import { matcher } from "../../../page/js/client.js";
import { connected } from "../support/fake-websocket.mjs";
import { anyOf, chance, whole } from "../support/random.mjs";

const SUBJECTS = ["a.x", "a.y", "b.x", "b.y"];
const PATTERNS = ["a.*", "*.x", "b.x", ">", "b.*"];
const STREAM = { stream: "S", epoch: "e" };

/** One stream and a gateway that follows it for one connection, one step at a time. */
class Gateway {
  stored = []; // subjects; the sequence of each is its place, from 1 on
  follows = []; // { pattern, matches, from: complete after that, isLive }
  replays = []; // { follows, cursor, isMarked }: one after the other
  requests = [];
  brought = new Set(); // on this connection: nothing comes twice

  constructor(it) {
    this.it = it;
  }

  connect() {
    this.follows = [];
    this.replays = [];
    this.requests = [];
    this.brought.clear();
    this.socket = this.it.socket;
    this.socket.send = (text) => this.requests.push(JSON.parse(text));
  }

  get steps() {
    return [this.requests.length && this.answer, this.replays.length && this.read].filter(Boolean);
  }

  publish() {
    const subject = anyOf(SUBJECTS);
    this.stored.push(subject);
    if (this.follows.some((each) => each.isLive && each.matches(subject))) this.bring(this.stored.length, false);
  }

  bring(seq, isReplay) {
    this.brought.add(seq);
    this.socket.say({ subject: this.stored[seq - 1], seq, ...(isReplay && { replay: true }), data: seq });
  }

  answer() {
    const { subjects, action, history, id } = this.requests.shift();
    if (action === "unsubscribe") return this.leave(subjects, id);
    assert.ok(history, "nothing here is asked for without history");
    const after = history === "all" ? 0 : history === "new" ? this.stored.length : Number(history.after.split(".")[2]);
    const isLive = history === "new";
    const follows = subjects.map((pattern) => ({ pattern, matches: matcher(pattern), from: after, isLive }));
    this.follows.push(...follows);
    if (!isLive) this.replays.push({ follows, cursor: after, isMarked: true });
    const told = { ...STREAM, after, messages: 0, ...(history.after && { resumed: true }) };
    this.socket.say(...subjects.map((subject) => ({ success: true, action: "subscribe", subjects: [subject], history: told, id })));
  }

  leave(subjects, id) {
    const stay = ({ pattern }) => !subjects.includes(pattern);
    this.follows = this.follows.filter(stay);
    const replays = this.replays.map((replay) => ({ ...replay, follows: replay.follows.filter(stay) }));
    this.replays = replays.filter(({ follows }) => follows.length);
    this.socket.say(...subjects.map((subject) => ({ success: true, action: "unsubscribe", subjects: [subject], id })));
  }

  /** The next message of the first replay that no other pattern has brought, or its end. */
  read() {
    const [{ follows, cursor, isMarked }] = this.replays;
    for (let seq = cursor + 1; seq <= this.stored.length; seq += 1) {
      const falls = (each) => each.from < seq && each.matches(this.stored[seq - 1]);
      if (!follows.some(falls) || this.brought.has(seq)) continue;
      this.replays[0].cursor = seq;
      return this.bring(seq, isMarked);
    }
    this.replays.shift();
    for (const each of follows) each.isLive = true;
    this.socket.say({ status: "live", ...STREAM, seq: this.stored.length, subjects: follows.map(({ pattern }) => pattern) });
  }

  /** Some that were live together have to catch up. */
  fallBehind() {
    const follows = this.follows.filter(({ isLive }) => isLive);
    if (!follows.length) return;
    for (const each of follows) each.isLive = false;
    this.replays.push({ follows, cursor: this.stored.length, isMarked: false });
    this.socket.say({ status: "behind", stream: STREAM.stream, subjects: follows.map(({ pattern }) => pattern) });
  }
}

/** A listener: `begin` is the end of the stream when its pattern began. */
function follow(it, gateway, pattern) {
  const [heard, history] = [[], anyOf(["new", "all"])];
  const follower = { pattern, heard, history, begin: null };
  const begins = ({ detail }) => { if (detail.pattern === pattern) follower.begin ??= gateway.stored.length; };
  follower.leave = () => {
    it.client.removeEventListener("subscription", begins);
    it.client.unsubscribe(pattern);
  };
  it.client.addEventListener("subscription", begins);
  it.client.subscribe(pattern, ({ seq }) => heard.push(seq), { history }).catch(() => {});
  return follower;
}

function reconnect(it, gateway) {
  const before = it.made.length;
  it.socket.end(1006);
  while (it.made.length === before) it.tick(100);
  gateway.connect();
  it.socket.begin();
}

test("each listener gets what was published since it began, once, whatever overlaps, falls behind, leaves or is lost", (t) => {
  for (let round = 0; round < 100; round += 1) {
    const it = connected(t);
    const gateway = new Gateway(it);
    gateway.connect();
    const [followers, left] = [new Map(), []];
    for (let step = 0; step < 150; step += 1) {
      const pattern = anyOf(PATTERNS);
      if (chance(0.4)) gateway.publish();
      else if (chance(0.05)) gateway.fallBehind();
      else if (chance(0.05)) reconnect(it, gateway);
      else if (chance(0.05) && followers.has(pattern)) {
        followers.get(pattern).leave();
        left.push(followers.get(pattern));
        followers.delete(pattern);
      } else if (chance(0.1) && !followers.has(pattern)) followers.set(pattern, follow(it, gateway, pattern));
      else if (chance(0.3)) it.tick(101);
      else if (gateway.steps.length) anyOf(gateway.steps).call(gateway);
    }
    it.tick(101);
    while (gateway.steps.length) anyOf(gateway.steps).call(gateway);
    const all = gateway.stored.map((subject, place) => ({ subject, seq: place + 1 }));
    for (const { pattern, heard, history, begin } of followers.values()) {
      const falls = matcher(pattern);
      const due = all.filter(({ subject, seq }) => seq > begin && falls(subject)).map(({ seq }) => seq);
      const late = heard.filter((seq) => seq > begin).sort((one, other) => one - other);
      assert.deepEqual(late, due, `round ${round}, ${pattern}, ${history}`);
    }
    for (const { pattern, heard } of [...followers.values(), ...left]) {
      assert.deepEqual(heard.filter((seq, place) => heard.indexOf(seq) !== place), [], `round ${round}, ${pattern}: twice`);
    }
    assert.deepEqual(it.ofType("gap"), []);
  }
});
