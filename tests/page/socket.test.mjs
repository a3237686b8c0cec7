import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Socket, streamUrl } from "../../page/js/model/socket.js";

test("the stream is found beside the page, with TLS where the page has it", () => {
  assert.equal(streamUrl("http://host:5001/"), "ws://host:5001/stream?batch=1");
  assert.equal(streamUrl("https://host/foo/bar/?x=1#s=a"), "wss://host/foo/bar/stream?batch=1");
});

class FakeWebSocket extends EventTarget {
  static made = [];

  constructor(url) {
    super();
    this.url = url;
    this.sent = [];
    FakeWebSocket.made.push(this);
  }

  send(text) {
    this.sent.push(text);
  }

  close() {
    this.end(1006);
  }

  begin() {
    this.dispatchEvent(new Event("open"));
  }

  end(code) {
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }));
  }
}

function started(t) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  FakeWebSocket.made = [];
  const page = new EventTarget();
  const shown = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const listen = page.addEventListener.bind(page);
  Object.assign(globalThis, { WebSocket: FakeWebSocket, document: shown, addEventListener: listen });
  const told = [];
  const socket = new Socket("ws://host/stream", {
    open: () => told.push("open"),
    close: () => told.push("close"),
    text: () => {},
    change: () => {},
  });
  socket.start();
  return { socket, page, shown, told, made: FakeWebSocket.made };
}

test("it returns also after a clean close", (t) => {
  const { socket, told, made } = started(t);
  made[0].begin();
  made[0].end(1000);
  assert.equal(socket.state, "waiting");
  mock.timers.tick(1_000);
  assert.equal(made.length, 2);
  made[1].begin();
  assert.equal(socket.state, "open");
  assert.deepEqual(told, ["open", "close", "open"]);
});

test("it never gives up, and no wait is longer than 15 seconds", (t) => {
  const { socket, made } = started(t);
  for (let tries = 1; tries <= 100; tries += 1) {
    made.at(-1).end(1006);
    assert.equal(socket.tries, tries);
    mock.timers.tick(15_000);
    assert.equal(made.length, tries + 1);
  }
});

test("a try that gets no answer is given up after ten seconds", (t) => {
  const { socket } = started(t);
  mock.timers.tick(10_000);
  assert.equal(socket.state, "waiting");
  assert.equal(socket.reason, "the gateway does not answer");
});

test("it stays away when the gateway says so, until the reader asks", (t) => {
  const { socket, page, made } = started(t);
  made[0].begin();
  made[0].end(4501);
  assert.equal(socket.state, "stopped");
  assert.match(socket.reason, /token/);
  page.dispatchEvent(new Event("online"));
  mock.timers.tick(60_000);
  assert.equal(made.length, 1);
  socket.retryNow();
  assert.equal(made.length, 2);
});

test("a token is sent first, on each connection until one is told that it is wrong", (t) => {
  const { socket, made } = started(t);
  made[0].begin();
  made[0].end(4501);
  assert.equal(socket.tokenWanted, true);
  socket.useToken("secret");
  made[1].begin();
  made[1].end(1012);
  assert.equal(socket.tokenWanted, false);
  mock.timers.tick(1_000);
  made[2].begin();
  made[2].end(4501);
  socket.retryNow();
  made[3].begin();
  assert.deepEqual(made.map(({ sent }) => sent), [[], ['{"token":"secret"}'], ['{"token":"secret"}'], []]);
  assert.doesNotMatch(JSON.stringify(socket), /secret/);
});

test("asked for a token it has not, it stops at once; asked for one it sent, it goes on", (t) => {
  const { socket, told, made } = started(t);
  made[0].begin();
  socket.askForToken("the token has expired");
  assert.deepEqual([socket.state, socket.tokenWanted], ["stopped", true]);
  assert.equal(socket.reason, "The gateway asks for a token: the token has expired.");
  assert.deepEqual(told, ["open", "close"]);
  mock.timers.tick(60_000);
  assert.equal(made.length, 1);
  socket.useToken("secret");
  made[1].begin();
  socket.askForToken("");
  assert.equal(socket.state, "open");
});

test("it tries at once when the network or the reader comes back", (t) => {
  const { page, shown, made } = started(t);
  made[0].end(1006);
  page.dispatchEvent(new Event("online"));
  assert.equal(made.length, 2);
  made[1].end(1006);
  shown.dispatchEvent(new Event("visibilitychange"));
  assert.equal(made.length, 3);
  page.dispatchEvent(new Event("online")); // nothing to do while a try is under way
  mock.timers.tick(9_000);
  assert.equal(made.length, 3);
});

test("only a connection that lasted starts the back-off afresh", (t) => {
  const { socket, made } = started(t);
  made[0].begin();
  made[0].end(4029);
  mock.timers.tick(1_000);
  made[1].begin();
  made[1].end(4029);
  assert.equal(socket.tries, 2);
  mock.timers.tick(2_000);
  made[2].begin();
  mock.timers.tick(10_000);
  made[2].end(1012);
  assert.equal(socket.tries, 1);
});
