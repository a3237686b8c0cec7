import { setText } from "./dom.js";
import { signed } from "./signed.js";
import { count } from "../model/format.js";
import { fullText, mark, sizeText } from "../model/payload.js";
import { clockExact } from "../model/time.js";

const MOST_CHARS = 20_000; // more would take long to draw
const WAITS = { publish: "Publishing…", request: "Waiting for an answer…" };
const element = (id) => document.getElementById(`publish-${id}`);

/** What became of what was sent: that NATS has it, an answer, or why not; and when. */
export class Outcome {
  #line = element("outcome");
  #answer = element("answer");

  /** Something is sent: `{ done(answer), failed(error) }` tell what came of it. */
  begin(action) {
    const began = performance.now();
    this.#tell(WAITS[action]);
    return {
      done: (answer) => (action === "request" ? this.#show(answer, began) : this.#tell(`Sent: NATS has it ${after(began)}`, { when: true })),
      failed: ({ message }) => this.#tell(message, { when: true, isError: true }),
    };
  }

  /** Nothing is sent yet; "" is nothing to say. */
  note(sentence) {
    this.#tell(sentence);
  }

  /** Nothing was sent, for a reason that the reader can put right. */
  explain(sentence) {
    this.#tell(sentence, { isError: true });
  }

  #show(message, began) {
    this.#tell(`Answer ${after(began)} · ${[sizeText(message), kind(message)].join(" · ")}`, { when: true });
    const headers = message.headers.map(([name, value]) => `${name}: ${value}\n`).join("");
    const text = fullText(message);
    const more = text.length > MOST_CHARS ? `\n… the first ${count(MOST_CHARS)} of ${count(text.length)} characters` : "";
    this.#answer.replaceChildren(...signed(`${headers}${headers && "\n"}${text.slice(0, MOST_CHARS)}${more}`));
    this.#answer.hidden = false;
    this.#bringIntoSight();
  }

  #tell(sentence, { when = false, isError = false } = {}) {
    this.#answer.hidden = true;
    this.#answer.replaceChildren();
    setText(this.#line, when ? `${clockExact(Date.now())} · ${sentence}` : sentence);
    this.#line.classList.toggle("error", isError);
    this.#bringIntoSight();
  }

  #bringIntoSight() {
    element("result").scrollIntoView({ block: "nearest" });
  }
}

function kind(message) {
  if (message.encoding === "base64") return "binary, as base64";
  return mark(message) || (message.encoding === "json" ? "JSON" : "text");
}

function after(began) {
  return `after ${(performance.now() - began).toFixed(1)} ms`;
}
