const GAP = 4; // px
const NARROW = 600; // px: there it has the whole width
const MARGIN = 12; // px

/** Places a popup beside its button, where there is more room, with its right edge, in the layer above everything else. */
export function placeBeside(button, popup) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const above = clientHeight - bottom < top;
  popup.style.top = above ? "auto" : `${bottom + GAP}px`;
  popup.style.bottom = above ? `${clientHeight - top + GAP}px` : "auto";
  popup.style.right = `${clientWidth < NARROW ? MARGIN : clientWidth - right}px`;
}
