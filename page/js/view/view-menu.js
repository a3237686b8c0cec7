import { fromTemplate, part, setText } from "./dom.js";
import { placeBeside } from "./placed.js";
import { Popup } from "./popup.js";
import { SavedViews } from "../model/saved-views.js";

const element = (id) => document.getElementById(`views-${id}`);

/** The star in the field: views that the reader named, and files that were exported. */
export class ViewMenu {
  #views;
  #popup;
  #address;
  #fileBand;
  #announcer;

  /** `storage` is like localStorage. */
  constructor(storage, { address, fileBand, announcer }) {
    this.#views = new SavedViews(storage);
    this.#address = address;
    this.#fileBand = fileBand;
    this.#announcer = announcer;
    this.#popup = new Popup(element("panel"), element("button"), { opens: () => this.#opens() });
    element("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    document.getElementById("wall-toggle").addEventListener("click", () => this.#popup.hide());
    element("open-file").addEventListener("click", () => element("file").click());
    element("file").addEventListener("change", ({ target }) => this.#take(target));
  }

  #opens() {
    const { all } = this.#views;
    element("list").replaceChildren(...all.map((view) => this.#line(view)));
    element("form").hidden = !this.#address.fragment;
    setText(element("note"), all.length || this.#address.fragment ? "" : "Follow a subject, and its view can be saved here by a name.");
    placeBeside(element("button"), element("panel"));
  }

  #save() {
    const name = element("name").value.trim();
    if (!this.#views.save(name, this.#address.fragment)) return;
    element("name").value = "";
    this.#announcer.say(`Saved as ${name}`);
    this.#opens();
  }

  #line({ name, fragment }) {
    const line = fromTemplate("view-template");
    const open = part(line, "view-open");
    setText(open, name);
    open.addEventListener("click", () => {
      this.#popup.hide();
      location.hash = fragment;
    });
    const remove = part(line, "view-remove");
    remove.setAttribute("aria-label", `Forget the view ${name}`);
    remove.addEventListener("click", () => {
      this.#views.remove(name);
      this.#opens();
      element("open-file").focus(); // the button that had it is gone
    });
    return line;
  }

  // The same file may be wanted again.
  #take(input) {
    const [file] = input.files;
    input.value = "";
    this.#popup.hide();
    if (file) this.#fileBand.open(file);
  }
}
