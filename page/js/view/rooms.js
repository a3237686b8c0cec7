const element = (id) => document.getElementById(id);

/** Shows the parts of the page for which there is something to see: where there is `nothing`, the greeting, or the tree. */
export function showRooms({ ring, subscriptions }, nothing, isTree) {
  const { size } = subscriptions;
  element("empty").hidden = !nothing || isTree;
  element("looking").hidden = element("tree").hidden = nothing && !isTree;
  for (const id of ["actions", "messages", "latest"]) element(id).hidden = nothing;
  element("clear").disabled = !ring.length;
  element("subscriptions").hidden = !size;
  element("remove-all").hidden = size < 2;
}
