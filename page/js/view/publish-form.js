import { Completer } from "./completer.js";
import { setText } from "./dom.js";
import { completeSubject } from "../model/completions.js";
import { describePayload } from "../model/outgoing.js";
import { oneLine } from "../model/signs.js";

const CHARS = 80; // of one that was sent before, as it is offered
const NOW = "";
const element = (id) => document.getElementById(`publish-${id}`);

/** The fields of what is to be sent: a subject, a payload, headers; and those sent before, to be sent again. */
export class PublishForm {
  #fields = { subject: element("subject"), payload: element("payload"), headers: element("headers") };
  #base64 = element("base64");
  #kind = element("kind");
  #choice = element("sent");
  #completer;
  #sent;
  #draft = null; // what stood here before the reader looked at earlier ones

  /** `rows()` are those of the subject table, `sent` remembers, `changed()` is called when a field changes. */
  constructor({ rows, sent, changed }) {
    this.#sent = sent;
    this.#completer = new Completer(this.#fields.subject, element("completions"), (text, cursor, asked) =>
      completeSubject(text, cursor, { rows: rows(), earlier: sent.subjects }, asked),
    );
    for (const field of [...Object.values(this.#fields), this.#base64]) {
      field.addEventListener("input", () => {
        this.#choice.value = NOW;
        this.#draft = null;
        this.#describe();
        changed();
      });
    }
    this.#choice.addEventListener("change", () => {
      this.#choose(this.#choice.value);
      changed();
    });
    element("forget").addEventListener("click", () => {
      sent.forget();
      this.#offer();
      this.#fields.subject.focus();
    });
    this.#offer();
    this.#describe();
  }

  /** `{ subject, payload, headers, encoding }` as they are typed. */
  get values() {
    const { subject, payload, headers } = this.#fields;
    const encoding = this.#base64.checked ? "base64" : "";
    return { subject: subject.value.trim(), payload: payload.value, headers: headers.value, encoding };
  }

  /** The same, now that they are sent: nothing is suggested any more. */
  take() {
    this.#completer.close();
    return this.values;
  }

  /** Goes to where one goes on: a field by its name, or the first one that is empty. */
  focus(name = this.values.subject ? "payload" : "subject") {
    this.#fields[name].focus();
  }

  /** Marks the field that has to be put right, "" for none. */
  mark(wrong) {
    for (const [name, field] of Object.entries(this.#fields)) {
      if (name === wrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  /** Puts in what was not typed here; the first line of the choice brings back what was. */
  fill(values) {
    const { subject, payload, headers } = this.values;
    if (subject || payload || headers) this.#draft ??= this.values;
    this.#write(values);
    this.#choice.selectedIndex = -1;
    element("before").hidden = !this.#sent.all.length && !this.#draft;
  }

  /** Remembers what was sent. */
  remember(values) {
    this.#sent.add(values);
    this.#offer();
  }

  #offer() {
    const { all } = this.#sent;
    this.#choice.replaceChildren(new Option(`Sent before: ${all.length}`, NOW), ...all.map(option));
    element("before").hidden = !all.length;
  }

  #choose(place) {
    this.#draft ??= this.values;
    const values = place === NOW ? this.#draft : this.#sent.all[place];
    if (place === NOW) this.#draft = null;
    this.#write(values);
  }

  #write(values) {
    for (const [name, field] of Object.entries(this.#fields)) field.value = values[name];
    this.#base64.checked = values.encoding === "base64";
    this.#describe();
  }

  #describe() {
    const { text, wrong } = describePayload(this.#fields.payload.value, this.values.encoding);
    setText(this.#kind, text);
    this.#kind.classList.toggle("doubtful", wrong);
  }
}

function option({ subject, payload }, place) {
  const made = new Option(oneLine(`${subject} ${payload}`.slice(0, CHARS)), place);
  made.setAttribute("translate", "no");
  return made;
}
