import { count } from "../model/format.js";

const NAME = "NATS live";
const FLOWS = new Set(["live", "waiting", "idle"]);

/** What the tab of the browser is called, so that one finds the right one of several; first how much there was to tell of. */
export function showTitle({ name, word }, patterns, rate, told) {
  const [first, ...others] = patterns;
  const what = first && (others.length ? `${first} +${count(others.length)}` : first);
  const how = FLOWS.has(name) ? name === "live" && `${count(rate)}/s` : word;
  const words = [how, what, NAME].filter(Boolean).join(" · ");
  const title = told ? `(${count(told)}) ${words}` : words;
  if (document.title !== title) document.title = title;
}
