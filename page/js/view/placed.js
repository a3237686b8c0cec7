const GAP = 4; // px

/** Places a popup beside its button, where there is more room, with its right edge, in the layer above everything else. */
export function placeBeside(button, popup) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const above = clientHeight - bottom < top;
  popup.style.top = above ? "auto" : `${bottom + GAP}px`;
  popup.style.bottom = above ? `${clientHeight - top + GAP}px` : "auto";
  popup.style.right = `${clientWidth - right}px`;
}
