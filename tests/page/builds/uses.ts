// What the types of the client allow, and what they do not; compiled by test_package.py.
import { Client, Message, matcher, stringEnd, type Gap, type GatewayError } from "nats-websocket-bridge";
const client = new Client({ url: new URL("wss://host/stream"), token: async () => "token", WebSocket });
client.addEventListener("gap", ({ detail }) => { const gap: Gap = detail; return gap.to - gap.from; });
client.addEventListener("messages", ({ detail }) => detail.map(({ subject, raw }) => subject + raw), { once: true });
client.addEventListener("error", ({ detail }: { detail: GatewayError }) => detail.code);
client.addEventListener("state", () => client.state === "waiting" && client.retryAt - Date.now());
client.subscribe("a", (message: Message) => message.data.any.thing).then(() => client.unsubscribe("a"));
client.subscribe("a", ({ time, reply, headers }) => [time?.length, reply?.length, ...headers.map(([name, value]) => name + value)],
  { meta: ["time", "headers"], maxRate: 2 });
client.subscribe("a", ({ seq, replay, operation, stream, cursor }) => [seq?.toFixed(), replay === true, operation, stream, cursor],
  { history: { since: new Date() }, stream: "A" }).catch(({ code, reason }: GatewayError) => code === "no_history" && reason);
client.subscribe("b", undefined, { history: "auto" }); client.subscribe("c", undefined, { history: { last: 5 } });
client.addEventListener("progress", ({ detail: { pattern, state, messages } }) => state === "behind" && pattern + messages.toFixed());
client.addEventListener("gap", ({ detail: { patterns = [] } }) => patterns.join());
client.publish("a", new Uint8Array(2), { ack: true, msgId: "b", headers: { c: "d" } }).then(({ seq }) => seq?.toFixed());
client.request("a", [1], { timeout: 500 }).then(({ data, headers }) => data.sum + headers.length);
client.look(["a.>"]).then(({ stored, seen, more, complete, reason }) => stored.map(({ stream, messages }) => stream + messages[seen[more]]).join(complete ? reason : ""));
client.useToken(client.tokenWanted ? "token" : client.reason); client.retryNow(); client.close();
const numbers: number[] = [stringEnd('""', 0), client.tries]; const falls: boolean = matcher("a.*")("a.b");
new Client(); new Client({ url: "/stream" }); new Message("a", "1", "json"); export { numbers, falls };
// @ts-expect-error
client.addEventListener("no such event", () => {});
// @ts-expect-error
client.addEventListener("gap", ({ detail }) => detail.count);
// @ts-expect-error
client.subscribe(["a"]);
// @ts-expect-error
client.subscribe("a", undefined, { meta: ["subject"] });
// @ts-expect-error
client.subscribe("a", undefined, { max_rate: 2 });
// @ts-expect-error
client.subscribe("a", undefined, { history: { last: "5" } });
// @ts-expect-error
client.subscribe("a", undefined, { history: "everything" });
// @ts-expect-error
client.state = "open";
// @ts-expect-error
new Client({ uri: "ws://host" });
