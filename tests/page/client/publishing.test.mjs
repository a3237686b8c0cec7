import assert from "node:assert/strict";
import test from "node:test";
import { connected, outcome, started } from "../support/fake-websocket.mjs";

const greeting = { success: true, data: "Successfully connected", connection_id: "c" };

/** What a promise was settled with. */
const settled = (promise) => promise.then((value) => value, (error) => ({ code: error.code, message: error.message, errCode: error.errCode }));

test("what is published goes as it is, and is answered by the gateway", async (t) => {
  const it = connected(t);
  const bytes = Uint8Array.of(255, 0, 1);
  const calls = [
    it.client.publish("a", { total: 21.5 }),
    it.client.publish("b", bytes, { ack: true, msgId: "m", headers: { "X-A": "b" } }),
    it.client.publish("c", "plain", { encoding: "text" }),
    it.client.publish("d"),
  ];
  assert.deepEqual(it.socket.sent, [
    { action: "publish", subject: "a", data: { total: 21.5 }, id: 1 },
    { action: "publish", subject: "b", data: "/wAB", encoding: "base64", headers: { "X-A": "b" }, ack: true, msg_id: "m", id: 2 },
    { action: "publish", subject: "c", data: "plain", encoding: "text", id: 3 },
    { action: "publish", subject: "d", id: 4 },
  ]);
  for (const call of calls) assert.equal(await outcome(call), "pending");
  it.socket.say({ success: true, action: "publish", subject: "b", stream: "B", seq: 42, duplicate: false, id: 2 });
  it.socket.say({ success: true, action: "publish", subject: "a", id: 1 });
  assert.deepEqual(await settled(calls[1]), { stream: "B", seq: 42, duplicate: false });
  assert.deepEqual(await settled(calls[0]), {});
  it.socket.say({ success: false, message: "full", code: "not_stored", err_code: 10077, subjects: ["c"], id: 3 });
  it.socket.say({ success: false, message: "slow down", code: "rate_limited", subjects: ["d"], id: 4 });
  assert.deepEqual(await settled(calls[2]), { code: "not_stored", message: "full", errCode: 10077 });
  assert.deepEqual(await settled(calls[3]), { code: "rate_limited", message: "slow down", errCode: undefined });
  it.pass(60);
  assert.equal(it.made.flatMap(({ sent }) => sent).filter(({ action }) => action === "publish").length, 4, "nothing is sent again");
  assert.deepEqual(it.ofType("error"), []);
});

test("a request is answered with a message", async (t) => {
  const it = connected(t);
  const calls = [it.client.request("rpc", [1, 2], { timeout: 500 }), it.client.request("rpc")];
  assert.deepEqual(it.socket.sent, [
    { action: "request", subject: "rpc", data: [1, 2], timeout: 500, meta: ["headers"], id: 1 },
    { action: "request", subject: "rpc", meta: ["headers"], id: 2 },
  ]);
  const answer = (id, reply) => it.socket.say({ success: true, action: "request", subject: "rpc", reply, id });
  answer(2, { headers: [["a", "b"]], data: "/wAB", encoding: "base64" });
  answer(1, { data: 3 });
  const [first, second] = await Promise.all(calls);
  assert.deepEqual([first.subject, first.data, first.raw, first.headers], ["rpc", 3, "3", []]);
  assert.deepEqual([second.data, second.headers], [Uint8Array.of(255, 0, 1), [["a", "b"]]]);
});

test("what there is to follow is asked for, and told", async (t) => {
  const it = connected(t);
  const calls = [it.client.look(), it.client.look(["orders.>"]), it.client.look(["a..b"])];
  assert.deepEqual(it.socket.sent.map(({ action, subjects, id }) => [action, subjects, id]), [
    ["subjects", [">"], 1],
    ["subjects", ["orders.>"], 2],
    ["subjects", ["a..b"], 3],
  ]);
  const told = { subjects: [">"], stored: [{ stream: "S", messages: { a: 1 }, more: 2 }], seen: ["b"], more: 0, complete: true };
  it.socket.say({ success: true, action: "subjects", ...told, id: 1 });
  it.socket.say({ success: true, action: "subjects", ...told, stored: [], reason: "off", id: 2 });
  it.socket.say({ success: false, message: "no", code: "bad_subject", subjects: ["a..b"], id: 3 });
  assert.deepEqual(await settled(calls[0]), { ...told, reason: "" });
  assert.deepEqual(await settled(calls[1]), { ...told, stored: [], reason: "off" });
  assert.equal((await settled(calls[2])).code, "bad_subject");
  assert.deepEqual(it.ofType("subscription"), []);
});

test("without a connection a call is rejected at once, and nothing is kept for the next one", async (t) => {
  const it = started(t);
  assert.equal((await settled(it.client.publish("a", 1))).code, "disconnected");
  it.socket.begin();
  const lost = it.client.request("a", 1);
  const cyclic = {};
  cyclic.self = cyclic;
  await assert.rejects(it.client.publish("a", cyclic), TypeError);
  it.socket.end(1006);
  const { code, message } = await settled(lost);
  assert.deepEqual([code, message], ["disconnected", "The connection was lost before the answer."]);
  assert.equal((await settled(it.client.publish("a", 1))).code, "disconnected");
  it.pass(20);
  it.socket.begin();
  assert.deepEqual(it.socket.sent, []);
  it.socket.say({ success: true, action: "request", subject: "a", reply: { data: 1 }, id: 1 });
  const open = it.client.publish("b", 1);
  it.client.close();
  assert.equal((await settled(open)).code, "closed");
  assert.equal((await settled(it.client.publish("a", 1))).code, "closed");
});

test("the greeting says whether there is anything to publish, and where test messages come", (t) => {
  const it = connected(t);
  for (const subject of ["test.subject", undefined]) {
    it.socket.say({ ...greeting, test_subject: subject });
    assert.equal(it.client.testSubject, subject ?? "");
  }
  for (const publish of [true, undefined]) {
    it.socket.say({ ...greeting, publish });
    assert.equal(it.client.mayPublish, publish === true);
  }
});

test("what may be published is as of the last greeting or token", (t) => {
  const it = connected(t);
  const token = { success: true, message: "Successfully signed in", action: "token", subjects: [] };
  assert.equal(it.client.mayPublish, false);
  it.socket.say({ ...token, publish: true });
  assert.equal(it.client.mayPublish, true);
  it.socket.say(token);
  assert.equal(it.client.mayPublish, false);
  it.socket.say({ ...greeting, publish: true });
  assert.equal(it.client.mayPublish, true);
});
