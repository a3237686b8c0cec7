import assert from "node:assert/strict";
import test from "node:test";

const MISSING = ["EventTarget", "CustomEvent", "structuredClone", "performance", "URL", "fetch"];
const turn = () => new Promise(setImmediate);

/** A WebSocket as React Native has it: no EventTarget of the language, but these two methods. */
class Socket {
  static made = [];
  #listeners = {};

  constructor(url) {
    this.url = url;
    this.sent = [];
    Socket.made.push(this);
  }

  addEventListener(type, listener) { this.#listeners[type] = listener; }
  send(text) { this.sent.push(JSON.parse(text)); }
  close() {}
  happen(type, event = {}) { this.#listeners[type](event); }
}

/** The client as it is where a runtime lacks all that is not in the language itself. */
async function inBareRuntime(t) {
  const there = MISSING.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  t.after(() => there.forEach(([name, descriptor]) => Object.defineProperty(globalThis, name, descriptor)));
  const { href } = new URL("../../../page/js/client.js", import.meta.url);
  for (const name of MISSING) delete globalThis[name];
  return import(`${href}?bare`); // evaluated anew
}

test("told where the gateway is and given a WebSocket, it works where there is little else", async (t) => {
  const { Client } = await inBareRuntime(t);
  for (const name of MISSING) assert.equal(globalThis[name], undefined);
  const client = new Client({ url: "https://gateway/stream?x=1", WebSocket: Socket });
  t.after(() => client.close());
  const states = [];
  const seen = [];
  const listener = () => states.push(client.state);
  client.addEventListener("state", listener);
  client.addEventListener("state", listener);
  client.addEventListener("gap", ({ type, detail }) => seen.push([type, detail.causes]));
  const [socket] = Socket.made;
  assert.equal(socket.url, "wss://gateway/stream?x=1&batch=2");
  socket.happen("open");
  const followed = client.subscribe("a", ({ data }) => seen.push(data));
  await new Promise((resolve) => setTimeout(resolve, 5));
  socket.happen("message", { data: '{"success":true,"action":"subscribe","subjects":["a"],"id":1}' });
  await followed;
  socket.happen("message", { data: '{"subject":"a","data":[1]}\x1e{"status":"nats_down"}\x1e{"status":"nats_up","gap":true}' });
  assert.deepEqual(states, ["open", "open", "open"], "a listener is there once");
  assert.deepEqual(seen, [[1], ["gap", ["nats_down"]]]);
  client.removeEventListener("state", listener);
  socket.happen("close", { code: 1006, reason: "" });
  await turn();
  assert.deepEqual([client.state, states.length], ["waiting", 3]);
});

test("there, what one listener throws keeps no other from being told", async (t) => {
  const { Client } = await inBareRuntime(t);
  const client = new Client({ url: "ws://gateway/stream", WebSocket: Socket });
  const thrown = [];
  const former = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.once("uncaughtException", (error) => thrown.push(error.message));
  let told = 0;
  client.addEventListener("state", () => { throw new Error("mine"); });
  client.addEventListener("state", () => (told += 1));
  client.close();
  await turn();
  for (const listener of former) process.on("uncaughtException", listener);
  assert.deepEqual([thrown, told], [["mine"], 1]);
});

test("not served by a gateway, it cannot know where one is, and says so", async (t) => {
  const { Client } = await inBareRuntime(t);
  assert.throws(() => new Client({ WebSocket: Socket }), /Say where the gateway is/);
});
