/** A message, as it came. */
export declare class Message {
  constructor(subject: string, raw: string, encoding?: Encoding, meta?: Partial<Pick<Message, "time" | "reply" | "headers">>);
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
}

/** Name and value; a value that is not UTF-8 is base64, and a third item says so. */
export type Header = [name: string, value: string] | [name: string, value: string, encoding: "base64"];

export type Encoding = "json" | "text" | "base64";

/** Why a pattern was refused or given up. The list is that of the gateway, and may grow. */
export type Code =
  | "bad_request" | "bad_subject" | "denied" | "limit" | "nats_down" | "rate_limited" | "unsubscribed" | "closed"
  | "unreadable" | "too_large" | "no_responders" | "timeout" | "not_stored" | "disconnected" | (string & {});

/** What a promise of `subscribe` is rejected with, and what the event `error` holds. */
export interface GatewayError extends Error {
  code: Code;
  /** JetStream's own, with the code "not_stored". */
  errCode?: number;
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

/** The answer to a request, with its headers. */
export type Answer = Message;

/** Messages published from `from` to `to`, in ms since 1970, were missed. */
export interface Gap {
  from: number;
  to: number;
  causes: ("disconnected" | "nats_down")[];
}

/** What has become of a pattern; `code` and `message` are empty unless it was refused. */
export interface SubscriptionChange {
  pattern: string;
  state: "active" | "refused";
  code: Code | "";
  message: string;
}

export interface ClientEvents {
  state: undefined;
  messages: Message[];
  gap: Gap;
  dropped: { count: number };
  subscription: SubscriptionChange;
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
}

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
  /** Whether there is anything that this gateway lets us publish. */
  readonly mayPublish: boolean;
  publish(subject: string, value?: unknown, options?: PublishOptions): Promise<Published>;
  request(subject: string, value?: unknown, options?: RequestOptions): Promise<Answer>;
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
