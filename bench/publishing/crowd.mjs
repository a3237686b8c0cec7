// Publishes and asks as fast as it is answered, by client.js or by nats.js: node crowd.mjs <node_modules> <way> <url>
//
// Reads a run a line, as JSON, and answers each with a line: how long it took, and how busy Node was.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Client } from "../../page/js/client.js";

const [tools, way, url] = process.argv.slice(2);
const require = createRequire(`${tools}/`);
const { WebSocket } = require("ws"); // the same one for both
globalThis.WebSocket = WebSocket; // nats.js looks for it there

const PAD = "x".repeat(102); // 128 bytes in all

/** A connection by which what is published is known to be with the NATS server. */
const WAYS = {
  gateway: {
    async open() {
      const client = new Client({ url, WebSocket });
      while (client.state !== "open") await new Promise((resolve) => client.addEventListener("state", resolve));
      return client;
    },
    publish: (client, subject, value) => client.publish(subject, value),
    together: (client, subject, values) => Promise.all(values.map((value) => client.publish(subject, value))),
    request: (client, subject, value) => client.request(subject, value),
    close: (client) => client.close(),
  },
  "nats.js": {
    open: () => require("@nats-io/nats-core").wsconnect({ servers: url, noEcho: true }),
    publish(client, subject, value) {
      client.publish(subject, JSON.stringify(value));
      return client.flush();
    },
    together(client, subject, values) {
      for (const value of values) client.publish(subject, JSON.stringify(value));
      return client.flush();
    },
    request: (client, subject, value) => client.request(subject, JSON.stringify(value), { timeout: 10_000 }),
    close: (client) => client.close(),
  },
};
const { open, close, ...does } = WAYS[way];

const numbered = (n) => ({ n: String(n).padStart(7, "0"), pad: PAD });

/** Does `messages` on each of the connections, `underWay` at a time; returns how long each took, in seconds. */
async function repeated(clients, { what, subject, messages, underWay }) {
  const took = [];
  const inTurn = async (client, first) => {
    for (let n = first; n < messages; n += underWay) {
      const begun = performance.now();
      await does[what](client, subject, numbered(n));
      took.push((performance.now() - begun) / 1000);
    }
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: underWay }, (_, first) => inTurn(client, first))));
  return took;
}

async function run({ connections, ...load }) {
  const clients = await Promise.all(Array.from({ length: connections }, open));
  await repeated(clients, { ...load, what: load.what === "request" ? "request" : "publish", messages: 1, underWay: 1 });
  const values = Array.from({ length: load.messages }, (_, n) => numbered(n));
  const before = process.cpuUsage();
  const begun = performance.now();
  let took = [];
  if (load.what === "together") await Promise.all(clients.map((client) => does.together(client, load.subject, values)));
  else took = await repeated(clients, load);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  await Promise.all(clients.map(close));
  return { seconds, cpu: (user + system) / 1e6, took: load.what === "request" ? took : [] };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await run(JSON.parse(line))));
