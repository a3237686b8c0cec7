import assert from "node:assert/strict";
import test from "node:test";
import { outcome, started } from "../support/fake-websocket.mjs";

const SILENT = "the gateway does not answer";
const NO_UPGRADE = "something between here and the gateway does not pass WebSockets on";
const PASSWORD = "something between here and the gateway asks for a password (401)";
const plain = (status, text = "") => new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
const asking = (scheme) => (text) =>
  new Response(text, { status: 401, headers: { "Content-Type": "text/plain", "WWW-Authenticate": scheme } });
const [basic, bearer] = [asking('Basic realm="x"'), asking("Bearer")];
const html = (status) => new Response("<h1>The gateway is full.</h1>", { status, headers: { "Content-Type": "text/html" } });

/** What a client says after a first try that failed, if that is how a plain request is answered. */
async function reasonFor(t, answer) {
  const asked = [];
  const it = started(t, {
    answer: (method, address, mode) => {
      asked.push(`${method} ${address}`);
      return answer(method, address, mode);
    },
  });
  it.socket.end(1006);
  assert.equal(it.client.reason, SILENT, "until it is known");
  await outcome();
  assert.equal(it.client.state, "waiting", "it goes on trying");
  return { ...it, asked, reason: it.client.reason, states: it.ofType("state").length };
}

test("what refuses a WebSocket is asked by a plain request, and its answer is the reason", async (t) => {
  const answers = [
    [plain(426, "This is a WebSocket. If you opened one, …\n"), NO_UPGRADE],
    [plain(400, "No WebSocket UPGRADE hdr: None"), NO_UPGRADE],
    [plain(401, "Sign in.\n"), PASSWORD],
    [html(401), PASSWORD],
    [basic("Sign in.\n"), PASSWORD],
    [bearer("One of TRUSTED_PROXIES has to say who it is.\n"), "one of TRUSTED_PROXIES has to say who it is"],
    [bearer(""), PASSWORD],
    [plain(503, "The gateway is full. Try again later.\n"), "the gateway is full"],
    [plain(503, "The gateway is stopping. Try again later.\n"), "the gateway is stopping"],
    [plain(503, "The token's key has yet to be fetched, try again in a moment.\n"), "the token's key has yet to be fetched, try again in a moment"],
    [plain(503, "At most 3 connections from one address, please.\n"), "at most 3 connections from one address, please"],
    [html(503), "what stands before the gateway cannot reach it (503)"],
    [plain(503, "no available server\n"), "what stands before the gateway cannot reach it (503)"],
    [html(502), "what stands before the gateway cannot reach it (502)"],
    [new Response(null, { status: 504 }), "what stands before the gateway cannot reach it (504)"],
    [html(404), "something else than the gateway answers there (404)"],
    [html(200), "something else than the gateway answers there (200)"],
    [html(403), "something else than the gateway answers there (403)"],
    [plain(429, "slow down"), "something else than the gateway answers there (429)"],
    [{ type: "opaqueredirect", status: 0 }, "something between here and the gateway leads to another page, perhaps to sign in"],
    [new Response(null, { status: 302 }), "something between here and the gateway leads to another page, perhaps to sign in"],
  ];
  for (const [answer, reason] of answers) {
    const it = await reasonFor(t, () => answer);
    assert.equal(it.reason, reason);
    assert.deepEqual(it.asked, ["GET http://host/stream?batch=2"]);
  }
});

test("where nobody answers, nothing is known", async (t) => {
  const silences = [
    () => Promise.reject(new TypeError("Failed to fetch")), () => new Promise(() => {}), () => { throw new ReferenceError("fetch"); },
  ];
  for (const answer of silences) assert.equal((await reasonFor(t, answer)).reason, SILENT);
});

test("a page whose origin is refused is told its own address, and what the gateway says to do", async (t) => {
  globalThis.location = { href: "http://pi.local:3000/", origin: "http://pi.local:3000" };
  t.after(() => delete globalThis.location);
  const said = {
    "The origin 'http://pi.local:3000' is not allowed; see ALLOWED_ORIGINS.\n": "",
    "The origin 'http://pi.local:3000' is not allowed, as this is 'http://pi.local': name the proxy: in TRUSTED_PROXIES.\n":
      ": name the proxy: in TRUSTED_PROXIES",
  };
  for (const [text, remedy] of Object.entries(said)) {
    const { reason } = await reasonFor(t, () => plain(403, text));
    assert.equal(reason, `this page's address http://pi.local:3000 is not in ALLOWED_ORIGINS${remedy}`);
  }
});

test("a page of the gateway's own address, whose browser does not name it in a GET, asks a second time", async (t) => {
  globalThis.location = { href: "http://host/", origin: "http://host" };
  t.after(() => delete globalThis.location);
  const refusal = plain(403, "The origin 'http://host' is not allowed; see ALLOWED_ORIGINS.\n");
  const refused = await reasonFor(t, (method) => (method === "GET" ? plain(426) : refusal));
  assert.equal(refused.reason, "this page's address http://host is not in ALLOWED_ORIGINS");
  assert.deepEqual(refused.asked.map((each) => each.split(" ")[0]), ["GET", "POST"]);
  const allowed = await reasonFor(t, (method) => (method === "GET" ? plain(426) : plain(400, "[]")));
  assert.equal(allowed.reason, NO_UPGRADE);
  const full = await reasonFor(t, () => plain(503, "The gateway is full. Try again later."));
  assert.equal(full.asked.length, 1);
  globalThis.location.origin = "http://hos";
  assert.equal((await reasonFor(t, () => plain(426))).asked.length, 1, "another origin");
});

test("a page of another origin that may not read the answer knows whether there is one", async (t) => {
  globalThis.location = { href: "http://app:3000/", origin: "http://app:3000" };
  t.after(() => delete globalThis.location);
  const unreadable = (method, address, mode) => (mode === "no-cors" ? { type: "opaque", status: 0 } : Promise.reject(new TypeError()));
  assert.equal((await reasonFor(t, unreadable)).reason, "what answers there is not for this page to read: is http://app:3000 in ALLOWED_ORIGINS?");
  assert.equal((await reasonFor(t, () => Promise.reject(new TypeError()))).reason, SILENT);
  globalThis.location.origin = "http://host";
  const own = await reasonFor(t, unreadable);
  assert.deepEqual([own.reason, own.asked.length], [SILENT, 1], "its own it could read");
});

test("a gateway that does not open is asked as well", async (t) => {
  const it = started(t, { answer: () => plain(426) });
  it.tick(10_000);
  await outcome();
  assert.deepEqual([it.client.state, it.client.reason], ["waiting", NO_UPGRADE]);
});

test("a lost connection, a token that cannot be had and a WebSocket that cannot be are not asked about", async (t) => {
  let asked = 0;
  const answer = () => { asked += 1; return plain(426); };
  const lost = started(t, { answer });
  lost.socket.begin();
  lost.socket.end(1006);
  started(t, { answer, token: () => Promise.reject(new Error("signed out")) });
  await outcome();
  started(t, { answer, WebSocket: class { constructor() { throw new Error("no"); } } });
  const closed = started(t, { answer });
  closed.client.close();
  await outcome();
  assert.equal(asked, 0);
});

test("the reason stays while the next try is made, is asked for less and less often, and goes with a connection", async (t) => {
  let asked = 0;
  const { client, made, tick } = started(t, { answer: () => { asked += 1; return plain(426); } });
  for (let tries = 1; tries <= 16; tries += 1) {
    made.at(-1).end(1006);
    await outcome();
    assert.equal(client.reason, NO_UPGRADE);
    tick(15_000);
  }
  assert.equal(asked, 5, "after tries 1, 2, 4, 8, 16");
  made.at(-1).begin();
  made.at(-1).end(1006);
  assert.equal(client.reason, "the connection was lost");
});

test("what has become otherwise is told at the next look, silence too", async (t) => {
  const answers = [() => plain(503, "The gateway is full. Try again later."), () => plain(426), () => Promise.reject(new TypeError())];
  const { client, made, tick } = started(t, { answer: () => answers.shift()() });
  const reasons = [];
  for (let tries = 1; tries <= 4; tries += 1) {
    made.at(-1).end(1006);
    await outcome();
    reasons.push(client.reason);
    tick(15_000);
  }
  assert.deepEqual(reasons, ["the gateway is full", NO_UPGRADE, NO_UPGRADE, SILENT]);
});

test("who was asked for a password is not asked again and again", async (t) => {
  let asked = 0;
  const { client, made, tick } = started(t, { answer: () => { asked += 1; return plain(401); } });
  for (let tries = 1; tries <= 8; tries += 1) {
    made.at(-1).end(1006);
    await outcome();
    tick(15_000);
  }
  assert.deepEqual([asked, client.reason], [1, PASSWORD]);
});

test("an answer that comes after the next try has begun, or after the end, says nothing any more", async (t) => {
  let give;
  const answer = () => new Promise((resolve) => { give = resolve; });
  const later = started(t, { answer });
  later.socket.end(1006);
  later.tick(1_000);
  later.socket.begin();
  give(plain(426));
  await outcome();
  assert.deepEqual([later.client.state, later.client.reason], ["open", SILENT]);
  const ended = started(t, { answer });
  ended.socket.end(1006);
  ended.client.close();
  give(plain(426));
  await outcome();
  assert.equal(ended.client.reason, "closed by this page");
});
