/** Does what the reader asked for before the scripts were there: the script in index.html has marked it. */
export function takeUpEarly() {
  globalThis.scriptsAreThere.abort();
  document.documentElement.classList.remove("from-link");
  for (const element of document.querySelectorAll("[data-early]")) {
    delete element.dataset.early;
    if (element.localName === "form") element.dispatchEvent(new Event("submit", { cancelable: true }));
    else element.click();
  }
}

/** The page is there: unless a style sheet is missing, nothing has been lost on the way. */
export function allLoaded() {
  const lost = document.getElementById("lost");
  if (!document.querySelector("link[rel=stylesheet][data-lost]")) return lost.remove();
  lost.hidden = false;
  document.getElementById("reload").onclick = () => location.reload();
}
