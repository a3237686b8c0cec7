import assert from "node:assert/strict";
import test from "node:test";
import { ack, connected, FakeWebSocket, LivelyWebSocket, outcome, pong, refusal, started } from "../support/fake-websocket.mjs";

function inBrowser(t) {
  const page = new EventTarget();
  const shown = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const listen = page.addEventListener.bind(page);
  Object.assign(globalThis, { document: shown, addEventListener: listen });
  t.after(() => {
    delete globalThis.document;
    delete globalThis.addEventListener;
  });
  return { page, shown };
}

test("the stream is where it is told to be, in batches, and with TLS where the address has it", (t) => {
  const urls = [
    "ws://host/stream", "https://host/foo/stream?x=1#s=a?b", new URL("http://host:5001/stream"), "WSS://host/stream?batch=0&y=a?b",
    "ws://host/stream?batch=1", "ws://host/stream?", "ws://host/stream?batches=2&batch",
  ];
  assert.deepEqual(urls.map((url) => started(t, { url }).socket.url), [
    "ws://host/stream?batch=2", "wss://host/foo/stream?x=1&batch=2", "ws://host:5001/stream?batch=2", "WSS://host/stream?y=a?b&batch=2",
    "ws://host/stream?batch=2", "ws://host/stream?batch=2", "ws://host/stream?batches=2&batch=2",
  ]);
});

test("an address without a host is one of the page's own, and without a page it is none", (t) => {
  assert.throws(() => started(t, { url: "/stream" }), /Invalid URL/);
  globalThis.location = { href: "https://host/app/page?x=1", origin: "https://host" };
  t.after(() => delete globalThis.location);
  assert.deepEqual(["/stream", "stream", "//gateway/stream"].map((url) => started(t, { url }).socket.url),
    ["wss://host/stream?batch=2", "wss://host/app/stream?batch=2", "wss://gateway/stream?batch=2"]);
});

test("who is not served by the gateway has to say where it is, and is told how", (t) => {
  for (const url of [undefined, "", null]) {
    assert.throws(() => started(t, { url }), /Say where the gateway is: new Client\(\{ url: "wss:/);
  }
});

test("without a WebSocket, or with an address it does not take, it stops and says why", (t) => {
  class Refusing {
    constructor() {
      throw new Error("not from a page of https");
    }
  }
  const { client } = started(t, { WebSocket: Refusing });
  assert.deepEqual([client.state, client.reason], ["stopped", "not from a page of https"]);
});

test("it returns also after a clean close", (t) => {
  const { client, made, tick } = started(t);
  made[0].begin();
  made[0].end(1000);
  assert.deepEqual([client.state, client.reason], ["waiting", "the connection was lost"]);
  tick(1_000);
  assert.equal(made.length, 2);
  made[1].begin();
  assert.equal(client.state, "open");
});

test("it never gives up, and no wait is longer than 15 seconds", (t) => {
  const { client, made, tick } = started(t);
  for (let tries = 1; tries <= 100; tries += 1) {
    made.at(-1).end(1006);
    assert.equal(client.tries, tries);
    tick(15_000);
    assert.equal(made.length, tries + 1);
  }
});

test("waits grow from half a second, and are spread so that pages do not return together", (t) => {
  const waits = (random) => {
    t.mock.method(Math, "random", () => random);
    const { client, made, tick } = started(t);
    return [0, 1, 2, 3, 4, 5, 6].map(() => {
      made.at(-1).end(1006);
      const wait = client.retryAt - Date.now();
      tick(wait);
      return wait;
    });
  };
  assert.deepEqual(waits(1), [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  assert.deepEqual(waits(0), [500, 500, 500, 500, 500, 500, 500]);
});

test("a try that gets no answer is given up after ten seconds", (t) => {
  const { client, tick } = started(t);
  tick(10_000);
  assert.equal(client.state, "waiting");
  assert.equal(client.reason, "the gateway does not answer");
});

test("it stays away when the gateway says so, until it is asked", (t) => {
  const { page } = inBrowser(t);
  const { client, made, tick } = started(t);
  made[0].begin();
  made[0].end(4503);
  assert.deepEqual([client.state, client.tokenWanted], ["stopped", false]);
  assert.match(client.reason, /does not allow/);
  page.dispatchEvent(new Event("online"));
  tick(60_000);
  assert.equal(made.length, 1);
  client.retryNow();
  assert.equal(made.length, 2);
});

test("it stays away after 4500 to 4999 only", (t) => {
  const states = [1000, 1006, 1012, 4008, 4499, 4500, 4501, 4999, 5000].map((code) => {
    const { client, socket } = started(t);
    socket.begin();
    socket.end(code);
    return client.state === "waiting";
  });
  assert.deepEqual(states, [true, true, true, true, true, false, false, false, true]);
});

test("a close is explained, and the gateway's own reason fills what is not known", (t) => {
  const reason = (code, text) => {
    const { client, socket } = started(t);
    socket.begin();
    socket.end(code, text);
    return client.reason;
  };
  assert.equal(reason(4501, ""), "The gateway asks for a token.");
  assert.equal(reason(4501, "the token has expired"), "The gateway asks for a token: the token has expired.");
  assert.equal(reason(4777, "closed for tonight"), "closed for tonight");
  assert.equal(reason(1012, "the service stops"), "the gateway is restarting");
  assert.equal(reason(1012, ""), "the gateway is restarting");
  assert.equal(reason(1012, "the grants have changed"), "the grants have changed");
});

test("a token is sent first, on each connection until one is told that it is wrong", (t) => {
  const { client, made, tick } = started(t);
  made[0].begin();
  made[0].end(4501);
  assert.equal(client.tokenWanted, true);
  client.useToken("secret");
  made[1].begin();
  made[1].end(1012);
  assert.equal(client.tokenWanted, false);
  tick(1_000);
  made[2].begin();
  made[2].end(4501);
  client.retryNow();
  made[3].begin();
  assert.deepEqual(made.map(({ sent }) => sent), [[], [{ token: "secret" }], [{ token: "secret" }], []]);
  assert.doesNotMatch(JSON.stringify(client), /secret/);
});

test("asked for a token it has not, it stops at once; asked for one it sent, it goes on", (t) => {
  const { client, made, tick } = started(t);
  made[0].begin();
  made[0].say({ status: "token_required", reason: "the token has expired" });
  assert.deepEqual([client.state, client.tokenWanted], ["stopped", true]);
  assert.equal(client.reason, "The gateway asks for a token: the token has expired.");
  tick(60_000);
  assert.equal(made.length, 1);
  client.useToken("secret");
  made[1].begin();
  made[1].say({ status: "token_required" });
  assert.equal(client.state, "open");
});

test("a token that is given while a connection stands is shown there", (t) => {
  const { client, socket } = started(t, { token: "first" });
  socket.begin();
  client.useToken("second");
  socket.say({ success: true, message: "Successfully signed in", action: "token", subjects: [] });
  assert.deepEqual(socket.sent, [{ token: "first" }, { token: "second" }]);
});

test("a function gives a token before the first connection, and a fresh one when it is refused", async (t) => {
  let calls = 0;
  const { client, made, tick } = started(t, { token: async () => `token ${(calls += 1)}` });
  assert.equal(made.length, 0);
  await outcome();
  made[0].begin();
  made[0].end(1012);
  tick(1_000);
  made[1].begin(); // nothing was wrong with the token
  made[1].end(4501, "the token has expired");
  assert.deepEqual([client.state, client.tokenWanted], ["waiting", false]);
  tick(2_000);
  await outcome();
  made[2].begin();
  assert.deepEqual(made.map(({ sent }) => sent[0].token), ["token 1", "token 1", "token 2"]);
});

test("a function that has no token, or none in time, is asked again later", async (t) => {
  let calls = 0;
  const answers = [() => Promise.reject(new Error("signed out")), () => new Promise(() => {}), () => "good"];
  const { client, made, tick } = started(t, { token: () => answers[calls++]() });
  await outcome();
  assert.deepEqual([client.state, client.reason], ["waiting", "no token could be had: signed out"]);
  tick(1_000);
  tick(10_000);
  assert.deepEqual([client.state, client.tries], ["waiting", 2]);
  tick(2_000);
  await outcome();
  made[0].begin();
  assert.deepEqual([made.length, made[0].sent[0].token], [1, "good"]);
});

test("a token that comes too late for its try neither connects nor takes the place of a later one", async (t) => {
  let give;
  const late = new Promise((resolve) => { give = resolve; });
  const answers = [late, "fresh"];
  const { made, tick } = started(t, { token: () => answers.shift() });
  tick(10_000);
  give("late");
  await outcome();
  assert.equal(made.length, 0);
  tick(1_000);
  await outcome();
  made[0].begin();
  assert.deepEqual([made.length, made[0].sent], [1, [{ token: "fresh" }]]);
});

test("it tries at once when the network or the reader comes back", (t) => {
  const { page, shown } = inBrowser(t);
  const { made, tick } = started(t);
  made[0].end(1006);
  page.dispatchEvent(new Event("online"));
  assert.equal(made.length, 2);
  made[1].end(1006);
  shown.dispatchEvent(new Event("visibilitychange"));
  assert.equal(made.length, 3);
  page.dispatchEvent(new Event("online")); // nothing to do while a try is under way
  tick(9_000);
  assert.equal(made.length, 3);
});

test("only a connection that lasted starts the back-off afresh", (t) => {
  const { client, made, tick } = started(t);
  made[0].begin();
  made[0].end(4029);
  tick(1_000);
  made[1].begin();
  made[1].end(4029);
  assert.equal(client.tries, 2);
  tick(2_000);
  made[2].begin();
  tick(10_000);
  made[2].end(1012);
  assert.equal(client.tries, 1);
});

test("closed, it stays closed, whatever comes", async (t) => {
  const { page } = inBrowser(t);
  const { client, made, tick, ofType } = started(t);
  made[0].begin();
  const pending = client.subscribe("a");
  client.close();
  client.close();
  assert.equal((await outcome(pending)).code, "closed");
  assert.equal((await outcome(client.subscribe("b"))).code, "closed");
  page.dispatchEvent(new Event("online"));
  client.retryNow();
  client.useToken("secret");
  made[0].say({ subject: "a", data: 1 });
  tick(60_000);
  assert.deepEqual([made.length, client.state, ofType("messages"), ofType("gap")], [1, "stopped", [], []]);
});

test("closed in the midst of a frame, it hands over nothing of the rest", (t) => {
  const { client, socket, ofType } = started(t);
  socket.begin();
  client.addEventListener("dropped", () => client.close());
  socket.say({ dropped: 1 }, { subject: "a", data: 1 });
  assert.deepEqual(ofType("messages"), []);
});

test("what closes the client while it is told of a state is obeyed", (t) => {
  for (const state of ["connecting", "open", "waiting"]) {
    const { client, made, tick } = started(t);
    client.addEventListener("state", () => client.state === state && client.close());
    made[0].begin();
    made[0].end(1006);
    tick(60_000);
    assert.equal(client.state, "stopped", state);
    assert.equal(made.length, 1, state);
  }
});

test("a former connection is not heard any more", (t) => {
  class Deaf extends FakeWebSocket {
    close() {}
  }
  const { client, tick, ofType } = started(t, { WebSocket: Deaf });
  const [former] = FakeWebSocket.made;
  tick(10_000);
  former.begin();
  former.say({ subject: "a", data: 1 });
  assert.deepEqual([client.state, ofType("messages")], ["waiting", []]);
});

test("a long silence is asked about, and an answer is enough", (t) => {
  const { client, made, socket, pass, told } = connected(t, "a");
  socket.say(ack(1, "a"));
  pass(15);
  socket.say({ subject: "a", data: 1 });
  pass(19);
  assert.equal(socket.sent.length, 1);
  pass(2);
  assert.deepEqual(socket.sent[1], { action: "ping", id: 0 });
  const before = told.length;
  socket.say(pong);
  assert.equal(told.length, before, "nothing new");
  pass(25);
  assert.deepEqual([client.state, made.length, socket.sent.length], ["open", 1, 3]);
});

test("a gateway that is there is found there for as long as anybody likes, whatever is followed", (t) => {
  const { client, made, socket, pass } = started(t, { WebSocket: LivelyWebSocket });
  socket.begin();
  pass(600);
  assert.deepEqual([client.state, made.length, socket.sent], ["open", 1, []]);
});

test("an older gateway, which knows no ping, has answered as well", (t) => {
  const { client, socket, pass, told } = connected(t, "a");
  pass(21);
  const before = told.length;
  socket.say({ ...refusal("bad_request", 0), subjects: [] });
  pass(15);
  assert.deepEqual([client.state, told.length], ["open", before]);
});

test("a gateway that gives no answer is not there: the connection is made anew and the gap told", (t) => {
  const { client, made, socket, pass, tick, ofType } = connected(t, "a");
  socket.say(ack(1, "a"));
  pass(29);
  assert.equal(client.state, "open");
  pass(1.2);
  assert.deepEqual([client.state, client.reason], ["waiting", "the gateway does not answer"]);
  tick(1_000);
  made[1].begin();
  tick(1);
  made[1].say(ack(2, "a"));
  const [gap] = ofType("gap");
  assert.deepEqual(gap.causes, ["disconnected"]);
  assert.equal(gap.from, 1, "it began with the last word");
});

test("what waits for NATS goes on waiting while the gateway is asked for a word", (t) => {
  const { client, socket, pass, answers } = connected(t, "a");
  socket.say(refusal("nats_down", 1, "a"));
  pass(21);
  assert.deepEqual(socket.sent[1], { action: "ping", id: 0 });
  socket.say(pong);
  assert.equal(client.natsDown, true);
  pass(5);
  socket.say(ack(1, "a"));
  assert.equal(client.state, "open");
  return answers[0];
});

test("whoever follows nothing is not kept in the belief that the gateway is there, either", (t) => {
  const { client, socket, pass, ofType } = connected(t);
  pass(30.2);
  assert.deepEqual([client.state, socket.sent, ofType("gap")], ["waiting", [{ action: "ping", id: 0 }], []]);
});

test("a page that is looked at again, or online again, asks at once whether the gateway is there", (t) => {
  const { page, shown } = inBrowser(t);
  const { client, socket, tick } = connected(t, "a");
  socket.say(ack(1, "a"));
  tick(1_000);
  shown.dispatchEvent(new Event("visibilitychange"));
  assert.equal(socket.sent.length, 2);
  socket.say(pong);
  page.dispatchEvent(new Event("online"));
  assert.equal(socket.sent.length, 3);
  tick(10_000);
  assert.equal(client.state, "waiting");
});

test("a page that is put aside closes, so that it can be kept, and comes back at once", (t) => {
  const { page } = inBrowser(t);
  const { client, made, socket, tick, ofType } = connected(t, "a");
  const leave = (name, persisted) => page.dispatchEvent(Object.assign(new Event(name), { persisted }));
  socket.say(ack(1, "a"));
  leave("pagehide", false);
  leave("pageshow", false);
  assert.deepEqual([client.state, socket.sent.length], ["open", 1], "a page that is shown first has nothing to ask");
  leave("pagehide", true);
  assert.deepEqual([client.state, client.reason], ["waiting", "this page was put aside"]);
  tick(400);
  leave("pageshow", true);
  assert.equal(made.length, 2);
  made[1].begin();
  tick(1);
  made[1].say(ack(2, "a"));
  assert.deepEqual(ofType("gap").map(({ causes }) => causes), [["disconnected"]]);
});

test("a page that is put aside while it connects does so again when it is back", (t) => {
  const { page } = inBrowser(t);
  const { client, made } = started(t);
  page.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: true }));
  assert.equal(client.state, "waiting");
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.deepEqual([client.state, made.length], ["connecting", 2]);
});

test("a page that was frozen asks at once, and what came meanwhile is read before it is judged", (t) => {
  const { shown } = inBrowser(t);
  const { client, socket, pass, tick, setClock } = connected(t, "a");
  socket.say(ack(1, "a"));
  pass(21);
  assert.equal(socket.sent.length, 2);
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => now() + 3_600_000); // for which no timer ran
  setClock(3_600_000);
  shown.dispatchEvent(new Event("resume"));
  assert.equal(socket.sent.length, 3);
  tick(10_000);
  assert.deepEqual([client.state, client.reason], ["waiting", "the gateway does not answer"]);
});

test("a timer that is late is not taken for a gateway that is silent, but once", (t) => {
  const { client, socket, pass, tick } = connected(t, "a");
  pass(20);
  assert.equal(socket.sent.at(-1).action, "ping");
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => now() + 60_000);
  tick(10_000);
  assert.deepEqual([client.state, socket.sent.length], ["open", 3]);
  tick(10_000);
  assert.equal(client.state, "waiting");
});

test("a clock that is set changes neither when the gateway is asked nor when it is tried again", (t) => {
  for (const by of [3_600_000, -3_600_000]) {
    const { client, made, socket, pass, setClock, tick } = connected(t, "a");
    socket.say(ack(1, "a"));
    pass(15);
    setClock(by);
    pass(4);
    assert.equal(socket.sent.length, 1);
    pass(11.2);
    assert.deepEqual([client.state, socket.sent.length], ["waiting", 2]);
    setClock(by);
    const rest = client.retryAt - Date.now();
    assert.ok(rest > 0 && rest <= 1_000, `${rest}`);
    tick(rest);
    assert.equal(made.length, 2);
  }
});
