/** A message, as it came. */
export declare class Message {
  constructor(subject: string, raw: string, encoding?: Encoding, meta?: Partial<Pick<Message, MetaKey>>);
  readonly subject: string;
  /** The payload as JSON text, digit for digit; a JSON string if `encoding` is "text" or "base64". */
  readonly raw: string;
  readonly encoding: Encoding;
  /** The payload: a JSON value, a string if it is other text, else a Uint8Array. Parsed when first asked for. */
  readonly data: any;
  /** When the gateway received it, such as "2026-03-01T12:00:00.123Z"; only if that was asked for, as the next two. */
  readonly time?: string;
  /** Where whoever sent it waits for an answer. */
  readonly reply?: string;
  /** In their order, with repeats; empty if there are none. */
  readonly headers: Header[];
  /** Its sequence in the stream; with history only, as all that follow. */
  readonly seq?: number;
  /** Whether it was stored before, or comes late after a lost connection. */
  readonly replay: boolean;
  /** What was done to a key without a value, such as "DEL", "PURGE" or "MaxAge". */
  readonly operation?: string;
  /** The stream it is in, as far as that is known, and which incarnation of that. */
  readonly stream?: string;
  readonly epoch?: string;
  /** Where to go on behind it, by `{ after: cursor }`. */
  readonly cursor?: string;
}

type MetaKey = "time" | "reply" | "headers" | "seq" | "replay" | "operation";

/** Name and value; a value that is not UTF-8 is base64, and a third item says so. */
export type Header = [name: string, value: string] | [name: string, value: string, encoding: "base64"];

export type Encoding = "json" | "text" | "base64";

/** Why a pattern was refused or given up. The list is that of the gateway, and may grow. */
export type Code =
  | "bad_request" | "bad_subject" | "denied" | "limit" | "nats_down" | "rate_limited" | "unsubscribed" | "closed"
  | "unreadable" | "too_large" | "no_responders" | "timeout" | "not_stored" | "disconnected"
  | "no_history" | "already_followed" | (string & {});

/** What a promise of `subscribe` is rejected with, and what the event `error` holds. */
export interface GatewayError extends Error {
  code: Code;
  /** JetStream's own, with the code "not_stored". */
  errCode?: number;
  /** Why there is none, with the code "no_history": "no_stream", "partly", "several_streams" and the like. */
  reason?: string;
}

export interface SendOptions {
  /** An object, or pairs of name and value where order and repeats matter. */
  headers?: Record<string, string> | [name: string, value: string][];
  /** With "text", a string is sent as plain text rather than as JSON. */
  encoding?: "text";
}

export interface PublishOptions extends SendOptions {
  /** Whether to wait until a stream has stored it. */
  ack?: boolean;
  /** By which a stream knows a message that comes again. */
  msgId?: string;
}

export interface RequestOptions extends SendOptions {
  /** In ms; 2000 without it. */
  timeout?: number;
}

/** Where a stream has stored a message; empty without `ack`. */
export interface Published {
  stream?: string;
  seq?: number;
  duplicate?: boolean;
}

/** Which subjects there are, as far as they may be followed. */
export interface Found {
  /** The patterns that were asked for. */
  subjects: string[];
  /** Each stream that has some: how many messages each subject has, and how many subjects are left out. */
  stored: { stream: string; messages: Record<string, number>; more: number }[];
  /** Others on which a message came to the gateway of late, and how many of these are left out. */
  seen: string[];
  more: number;
  /** Whether all streams were read to their end. */
  complete: boolean;
  /** Why nothing of what is stored is told; else "". */
  reason: "" | "off" | "no_jetstream" | "not_permitted" | "nats_down" | (string & {});
}

/** The answer to a request, with its headers. */
export type Answer = Message;

/** Messages published from `from` to `to`, in ms since 1970, were missed. */
export interface Gap {
  from: number;
  to: number;
  causes: GapCause[];
  /** Patterns that come from streams, if it is these; without them it is all others. */
  patterns?: string[];
}

/** Those after "nats_down" are of streams. The list may grow. */
export type GapCause =
  | "disconnected" | "nats_down" | "expired" | "too_many" | "stream_new" | "ahead" | "unknown" | "no_history" | "stream_gone"
  | (string & {});

/** How far a pattern that comes from a stream is. */
export interface Progress {
  pattern: string;
  state: "replaying" | "behind" | "live";
  /** About how many are to come when "replaying"; how many have come when "live"; 0 when "behind". */
  messages: number;
  /** Why not all comes that was asked for. */
  reason?: string;
  /** When "live" after a loss or after being behind: between which times that was, in ms since 1970. */
  from?: number;
  to?: number;
}

/** What has become of a pattern; `code` and `message` are empty unless it was refused. */
export interface SubscriptionChange {
  pattern: string;
  state: "active" | "refused";
  code: Code | "";
  message: string;
  /** Which stream it comes from, if it does. */
  stream?: string;
}

export interface ClientEvents {
  state: undefined;
  messages: Message[];
  gap: Gap;
  dropped: { count: number };
  subscription: SubscriptionChange;
  progress: Progress;
  error: GatewayError;
}

/** Events are CustomEvents; in React Native, which has none, plain objects with these two. */
export interface ClientEvent<Type extends keyof ClientEvents> {
  readonly type: Type;
  readonly detail: ClientEvents[Type];
}

/** What is needed of a WebSocket: the browser's, or that of `ws` for Node before 22. */
export interface WebSocketConstructor {
  new (url: string): {
    send(text: string): void;
    close(): void;
    addEventListener(type: any, listener: (event: any) => void): void;
  };
}

export interface ClientOptions {
  /** The gateway's WebSocket, such as wss://gateway.example/stream. It may be left out if the gateway served this file. */
  url?: string | URL;
  /** A token, or a function that gives a fresh one or a promise of it, called again when one is refused. */
  token?: string | (() => string | Promise<string>);
  WebSocket?: WebSocketConstructor;
}

export type Listener = (message: Message) => void;

/** Those who listen to one pattern share what comes: all that any of them asks for, at the highest rate. */
export interface SubscribeOptions {
  /** What is to come beside each message. */
  meta?: readonly ("time" | "reply" | "headers")[];
  /** How many messages a second at most of each subject, the newest ones; 0.01 to 100. */
  maxRate?: number;
  /** Follow the stream that holds the pattern, and begin with what it has stored. Who listens first decides. */
  history?: History;
  /** The name of the stream, beside `history`. */
  stream?: string;
}

/** "auto" is "new" if there is a stream, else a plain subscription. `since`: a time, or how long ago: "90s", "5m". */
export type History =
  | "new" | "auto" | "all" | "last_per_subject"
  | { last: number } | { seq: number } | { since: string | Date } | { after: string };

export declare class Client {
  constructor(options?: ClientOptions);
  /** "waiting" for a try at `retryAt`; "stopped" until `retryNow` or `useToken`. */
  readonly state: "connecting" | "open" | "waiting" | "stopped";
  /** Why it is not open: a sentence, or a part of one. */
  readonly reason: string;
  /** How often it has failed. */
  readonly tries: number;
  /** In ms since 1970. */
  readonly retryAt: number;
  /** Whether it stopped for want of a token. */
  readonly tokenWanted: boolean;
  /** Whether the gateway has lost NATS. */
  readonly natsDown: boolean;
  /** Patterns that may be followed, and those that may not even so; as of the last greeting or token. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Whether there is anything that this gateway lets us publish; as of the last greeting or token. */
  readonly mayPublish: boolean;
  /** The subject on which the gateway publishes test messages; "" if it does not. */
  readonly testSubject: string;
  publish(subject: string, value?: unknown, options?: PublishOptions): Promise<Published>;
  request(subject: string, value?: unknown, options?: RequestOptions): Promise<Answer>;
  /** Under one to eight patterns; without any, all there is. */
  look(patterns?: readonly string[]): Promise<Found>;
  subscribe(pattern: string, listener?: Listener, options?: SubscribeOptions): Promise<void>;
  unsubscribe(pattern: string, listener?: Listener): void;
  useToken(token: string): void;
  retryNow(): void;
  close(): void;
  addEventListener<Type extends keyof ClientEvents>(
    type: Type, listener: (event: ClientEvent<Type>) => void, options?: { once?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener<Type extends keyof ClientEvents>(type: Type, listener: (event: ClientEvent<Type>) => void): void;
}

/** Index just after the JSON string that opens with the quote at `start`; -1 if it does not end. */
export declare function stringEnd(text: string, start: number): number;

/** A function that says whether a subject falls under `pattern`. */
export declare function matcher(pattern: string): (subject: string) => boolean;
