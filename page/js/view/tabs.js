/** Tabs over one panel: a click, the arrow keys, Home and End choose. */
export class Tabs {
  #list;
  #panel;
  #choose;

  /** `choose(name)` is called with the name of a tab, which its id ends with: "tab-raw" is "raw". */
  constructor(list, panel, choose) {
    this.#list = list;
    this.#panel = panel;
    this.#choose = choose;
    list.addEventListener("click", ({ target }) => target.getAttribute("role") === "tab" && choose(nameOf(target)));
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows the tabs of these names, `chosen` being the open one. */
  show(names, chosen) {
    for (const tab of this.#list.children) {
      const name = nameOf(tab);
      tab.hidden = !names.includes(name);
      tab.setAttribute("aria-selected", String(name === chosen));
      tab.tabIndex = name === chosen ? 0 : -1;
      if (name === chosen) this.#panel.setAttribute("aria-labelledby", tab.id);
    }
  }

  #key(event) {
    const tabs = [...this.#list.children].filter(({ hidden }) => !hidden);
    const at = tabs.indexOf(event.target);
    const last = tabs.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || at === -1) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    this.#choose(nameOf(tab));
    tab.focus();
  }
}

function nameOf(tab) {
  return tab.id.slice("tab-".length);
}
