import assert from "node:assert/strict";
import test from "node:test";
import { ack, connected, outcome, started } from "../support/fake-websocket.mjs";

const GREETING = { success: true, data: "Successfully connected", connection_id: "it" };
const SIGNED_IN = { success: true, message: "Successfully signed in", action: "token", subjects: [] };
const RATE_LIMITED = { success: false, message: "At most 20 requests a second, please.", code: "rate_limited", subjects: [] };
const MINUTE = 60;
const HOUR = 3_600;

const base64url = (text) => Buffer.from(text).toString("base64url");

/** A JWT as the client sees it; `exp` and `iat` in seconds. */
function jwt(claims) {
  return `${base64url('{"alg":"ES256"}')}.${base64url(JSON.stringify({ sub: "Zoë ☕", ...claims }))}.c2ln`;
}

/** A JWT that lasts so many seconds from now on. */
function lasting(seconds, more = {}) {
  return jwt({ exp: Date.now() / 1000 + seconds, jti: Math.random(), ...more });
}

/** Lets so many seconds pass, in which promises have their turn and the gateway is never silent for long. */
async function pass(it, seconds, step = Math.min(10, seconds / 20)) {
  for (let passed = 0; passed < seconds; passed += step) {
    if (it.client.state === "open") it.socket.say({ subject: "a", data: 1 });
    it.tick(step * 1_000);
    await outcome();
  }
}

/** A client whose function gives `answers` one after another, the last one again and again; and its calls. */
async function withFunction(t, ...answers) {
  const calls = [];
  const token = (why) => {
    calls.push({ ...why, at: Date.now() / 1000 });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return typeof answer === "function" ? answer() : answer;
  };
  const it = started(t, { token });
  await outcome();
  return Object.assign(it, { calls });
}

async function open(it) {
  it.made.at(-1).begin();
  it.made.at(-1).say(GREETING);
  await outcome();
}

test("a JWT is renewed on its connection at about 80 % of its life, again and again", async (t) => {
  const it = await withFunction(t, () => lasting(100));
  await open(it);
  await pass(it, 74, 1);
  assert.equal(it.calls.length, 1);
  await pass(it, 7, 1);
  assert.equal(it.calls.length, 2);
  it.socket.say(SIGNED_IN);
  await pass(it, 68, 1);
  assert.equal(it.calls.length, 2);
  await pass(it, 13, 1);
  assert.equal(it.calls.length, 3);
  assert.deepEqual(it.calls.map(({ refused, reason }) => [refused, reason]), [[false, ""], [false, ""], [false, ""]]);
  assert.deepEqual([it.made.length, it.socket.sent.length, it.client.state], [1, 3, "open"]);
  assert.equal(new Set(it.socket.sent.map(({ token }) => token)).size, 3);
  assert.deepEqual(it.ofType("gap"), []);
});

test("renewals are spread, so that pages that opened together do not ask together", async (t) => {
  let random = 0;
  t.mock.method(Math, "random", () => random);
  const due = async (each) => {
    random = each;
    const it = await withFunction(t, () => lasting(1_000));
    await open(it);
    await pass(it, 900, 10);
    return it.calls[1].at - it.calls[0].at;
  };
  const [first, last] = [await due(0), await due(0.999)];
  assert.ok(first >= 745 && first <= 760, first);
  assert.ok(last >= 795 && last <= 810, last);
});

test("a cache that gives the same token is asked a few times, and nothing is sent", async (t) => {
  let cached;
  const it = await withFunction(t, () => (cached ??= lasting(HOUR)));
  await open(it);
  await pass(it, HOUR - 2, 2);
  assert.ok(it.calls.length >= 3 && it.calls.length <= 8, it.calls.length);
  assert.equal(it.socket.sent.length, 1);
  cached = lasting(HOUR);
  await pass(it, 10 * MINUTE, 2);
  assert.deepEqual([it.socket.sent.length, it.socket.sent.at(-1).token], [2, cached]);
});

test("a function that fails or never answers costs no connection, and is asked again", async (t) => {
  const fails = () => Promise.reject(new Error("signed out"));
  const hangs = () => new Promise(() => {});
  const it = await withFunction(t, () => lasting(1_000), fails, hangs, () => lasting(1_000));
  await open(it);
  await pass(it, 998, 1);
  assert.equal(it.calls.length, 4);
  assert.deepEqual(it.ofType("error").map(({ code, message }) => [code, message]),
    [["token", "no token could be had: signed out"]]);
  assert.deepEqual([it.client.state, it.made.length, it.socket.sent.length], ["open", 1, 2]);
});

test("a token that ends within seconds is not asked for without a rest", async (t) => {
  const it = await withFunction(t, () => lasting(0.5));
  await open(it);
  await pass(it, 60, 0.5);
  assert.ok(it.calls.length <= 21, it.calls.length);
  for (const [at, { at: now }] of it.calls.slice(1).entries()) assert.ok(now - it.calls[at].at >= 3);
});

test("a token that is over by a wrong clock, and does not say since when, is left to the gateway", async (t) => {
  const it = await withFunction(t, () => lasting(-HOUR));
  await open(it);
  await pass(it, 2 * HOUR, 60);
  assert.deepEqual([it.calls.length, it.client.state], [1, "open"]);
});

test("a token that lasts for years is asked for once a day", async (t) => {
  const it = await withFunction(t, () => lasting(10 * 365 * 24 * HOUR));
  await open(it);
  await pass(it, 71 * HOUR, 600);
  assert.equal(it.calls.length, 3);
});

test("what is no JWT, or does not say when it ends, is not renewed", async (t) => {
  const endless = [jwt({}), jwt({ exp: "soon" }), jwt({ exp: null }), "a.b.c", "a.!.c", "opaque", ""];
  for (const token of [...endless, `x.${base64url("[]")}.y`, `x.${base64url("null")}.y`]) {
    const it = await withFunction(t, token);
    await open(it);
    await pass(it, 48 * HOUR, HOUR);
    assert.equal(it.calls.length, 1, token);
  }
});

test("a token that is a string is not renewed: there is nobody to ask", async (t) => {
  const it = started(t, { token: lasting(100) });
  await open(it);
  await pass(it, 200, 1);
  assert.equal(it.socket.sent.length, 1);
});

test("where the clock is wrong, the life of the token is what counts", async (t) => {
  for (const wrong of [-5 * HOUR, 5 * HOUR]) {
    const it = await withFunction(t, () => {
      const now = Date.now() / 1000 + wrong;
      return jwt({ iat: now, exp: now + 100, jti: Math.random() });
    });
    await open(it);
    await pass(it, 74, 1);
    assert.equal(it.calls.length, 1);
    await pass(it, 7, 1);
    assert.equal(it.calls.length, 2);
  }
});

test("the function is told that its token was refused, and why, until one counts", async (t) => {
  const it = await withFunction(t, "first", "second", "third");
  it.socket.begin();
  it.socket.end(4501, "the token has expired");
  await pass(it, 2);
  it.socket.begin();
  it.socket.say(GREETING);
  it.socket.end(1012);
  await pass(it, 20);
  assert.equal(it.calls.length, 2, "the second still counts");
  it.socket.begin();
  it.socket.say(GREETING);
  it.socket.end(4501, "the token has been revoked");
  await pass(it, 20);
  assert.deepEqual(it.calls.map(({ refused, reason }) => [refused, reason]),
    [[false, ""], [true, "the token has expired"], [true, "the token has been revoked"]]);
});

test("a cookie that does not count is no refused token of the function", async (t) => {
  const it = await withFunction(t, "", "good");
  it.socket.begin();
  it.socket.say({ status: "token_required", reason: "the token has expired" });
  await pass(it, 2);
  assert.deepEqual([it.calls[1].refused, it.calls[1].reason], [false, "the token has expired"]);
});

test("after two refusals in a row the wait grows to minutes, whether the token is the same or not", async (t) => {
  for (const token of ["the same", () => `another ${Math.random()}`, () => lasting(HOUR), ""]) {
    const it = await withFunction(t, token);
    let seen = 0;
    for (let passed = 0; passed < 10 * MINUTE; passed += 0.5) {
      await pass(it, 0.5, 0.5);
      if (it.made.length === seen) continue;
      seen = it.made.length;
      it.socket.begin();
      if (it.socket.sent.length) it.socket.end(4501, "the token has expired");
      else it.socket.say({ status: "token_required" });
    }
    assert.ok(seen >= 5 && seen <= 20, seen);
    assert.ok(it.calls.length <= 20, it.calls.length);
    assert.match(it.client.reason, /^The gateway asks for a token/);
  }
});

test("a token that counts ends the long waits, and so does one that is given by hand", async (t) => {
  const it = await withFunction(t, "wrong");
  for (const made of [1, 2, 3]) {
    while (it.made.length < made) await pass(it, 1, 0.5);
    it.socket.begin();
    it.socket.end(4501);
  }
  const long = it.client.retryAt - Date.now();
  assert.ok(long > 29_000 && long <= 60_000, long);
  it.client.useToken("right");
  await outcome();
  await open(it);
  assert.deepEqual(it.socket.sent, [{ token: "right" }]);
  it.socket.end(1012);
  assert.ok(it.client.retryAt - Date.now() <= 15_000);
});

test("who comes back with a token that is nearly over asks for a fresh one first", async (t) => {
  const it = await withFunction(t, () => lasting(100), () => lasting(1_000));
  await open(it);
  await pass(it, 70, 1);
  it.socket.end(1006);
  it.tick(60_000); // as a machine that slept
  await outcome();
  await open(it);
  assert.deepEqual([it.made.length, it.calls.length, it.calls[1].refused], [2, 2, false]);
  assert.notEqual(it.made[0].sent[0].token, it.made[1].sent[0].token);
});

test("the one it has is shown where no fresh one can be had", async (t) => {
  const it = await withFunction(t, () => lasting(100), () => Promise.reject(new Error("offline")));
  await open(it);
  await pass(it, 70, 1);
  it.socket.end(1006);
  it.tick(25_000);
  await outcome();
  await open(it);
  assert.ok(it.calls.length > 1);
  assert.deepEqual([it.made.length, it.made[1].sent], [2, it.made[0].sent]);
});

test("a fresh token that met too many requests is sent again", async (t) => {
  const it = await withFunction(t, () => lasting(100));
  await open(it);
  await pass(it, 81, 1);
  const fresh = it.socket.sent.at(-1);
  it.socket.say(RATE_LIMITED);
  it.tick(1_000);
  assert.deepEqual(it.socket.sent.slice(1), [fresh, fresh]);
  it.socket.say(SIGNED_IN, RATE_LIMITED);
  it.tick(1_000);
  assert.equal(it.socket.sent.length, 3);
  assert.deepEqual(it.ofType("error").map(({ code }) => code), ["rate_limited"]);
});

test("a fresh token that comes too late for its connection, or after another, is not used", async (t) => {
  let give;
  const late = () => new Promise((resolve) => { give = resolve; });
  const it = await withFunction(t, () => lasting(100), late);
  await open(it);
  await pass(it, 81, 1);
  it.client.useToken("by hand");
  give("late");
  await outcome();
  assert.equal(it.socket.sent.at(-1).token, "by hand");
  it.client.close();
  const calls = it.calls.length;
  await pass(it, 1_000, 10);
  assert.equal(it.calls.length, calls);
});

test("who is asked for a token at the door has missed nothing, and who had one before has", (t) => {
  for (const ask of [(it) => it.socket.end(4501, "the token is missing"), (it) => it.socket.say({ status: "token_required" })]) {
    const it = started(t);
    it.client.subscribe("a");
    it.socket.begin();
    ask(it);
    it.pass(3);
    it.client.useToken("x");
    it.socket.begin();
    it.socket.say({ success: true, connection_id: "c" });
    it.tick(1);
    it.socket.say(ack(it.socket.sent.at(-1).id, "a"));
    assert.deepEqual(it.ofType("gap"), []);
    it.socket.end(4501, "the token has expired");
    it.pass(2);
    it.client.useToken("y");
    it.socket.begin();
    it.socket.end(4501, "the token is not valid");
    it.client.useToken("z");
    it.socket.begin();
    it.socket.say({ success: true, connection_id: "d" });
    it.tick(1);
    it.socket.say(ack(it.socket.sent.at(-1).id, "a"));
    assert.equal(it.ofType("gap").length, 1);
  }
});

test("what may be followed is that of the greeting, and then that of a fresh token", (t) => {
  const it = connected(t);
  assert.deepEqual([it.client.allow, it.client.deny], [[">"], []]);
  it.socket.say({ success: true, connection_id: "c", allow: ["a.>"], deny: ["a.b"] });
  assert.deepEqual([it.client.allow, it.client.deny], [["a.>"], ["a.b"]]);
  it.socket.say(SIGNED_IN);
  assert.deepEqual([it.client.allow, it.client.deny], [[">"], []]);
});
