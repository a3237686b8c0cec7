import { setText } from "./dom.js";
import { SignIn } from "./sign-in.js";
import { Status } from "./status.js";
import { showTitle } from "./title.js";
import { describe } from "../model/state.js";

/** How things are: in the head, in the title, and in an empty list; and the field for a token where one is wanted. */
export class StateLine {
  #parts;
  #status;
  #signIn;
  #waiting = document.getElementById("waiting");

  /** `parts`: { client, feed, natsTrouble, reading, following, pulse, tellPanel, wall }; `leave()` gives the focus to something else. */
  constructor(announcer, leave, parts) {
    const { client } = parts;
    this.#parts = parts;
    this.#status = new Status(announcer, () => client.retryNow());
    this.#signIn = new SignIn((token) => client.useToken(token), leave);
  }

  show() {
    const { client, feed, natsTrouble, pulse, tellPanel, wall } = this.#parts;
    natsTrouble.watch(feed.natsDown);
    const state = describe(this.#facts());
    const aloneInList = state.name === "waiting" && !feed.ring.length;
    this.#signIn.show(client.tokenWanted);
    showTitle(state, feed.subscriptions.followed, pulse.rate, tellPanel.unseen);
    wall.tell(state, feed);
    setText(this.#waiting, aloneInList ? state.hint : "");
    this.#status.show(aloneInList ? { ...state, hint: "" } : state);
  }

  #facts() {
    const { client, feed, natsTrouble, reading, following } = this.#parts;
    const { subscriptions, natsDown } = feed;
    return {
      link: client.state,
      reason: client.reason,
      tries: client.tries,
      tokenWanted: client.tokenWanted,
      retryIn: client.retryAt - Date.now(),
      natsDown,
      natsRefuses: natsTrouble.refused,
      paused: reading.paused,
      unseen: reading.unseen,
      following: subscriptions.followed,
      stored: subscriptions.stored,
      heard: [...subscriptions].some(({ count: messages }) => messages > 0),
      waited: Date.now() - following.changedAt,
    };
  }
}
