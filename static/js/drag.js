// Dragging rows onto folders: the same as Move, for those who point.

import { $, $$ } from "./page.js";
import { act, listFields } from "./actions.js";
import { checkedIds } from "./list.js";

export function startDragging() {
  let ids = [];
  document.addEventListener("pointerdown", (event) => {
    const row = event.pointerType === "mouse" && event.target.closest?.("#rows > .row");
    if (row) row.draggable = true;
  });
  document.addEventListener("dragstart", (event) => {
    const row = event.target.closest?.("#rows > .row");
    if (!row) return;
    const checked = checkedIds();
    ids = checked.includes(row.dataset.id) ? checked : [row.dataset.id];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", $(".row-subject", row).textContent);
  });
  document.addEventListener("dragover", (event) => {
    const folder = ids.length && targetOf(event);
    if (folder) event.preventDefault();
    for (const each of $$(".folder.is-drop")) each.classList.toggle("is-drop", each === folder);
    folder?.classList.add("is-drop");
  });
  document.addEventListener("drop", (event) => {
    const folder = ids.length && targetOf(event);
    if (!folder) return;
    event.preventDefault();
    act("move", { ids, ...listFields(), target: folder.dataset.folder });
  });
  document.addEventListener("dragend", () => {
    ids = [];
    for (const each of $$(".folder.is-drop")) each.classList.remove("is-drop");
  });
}

function targetOf(event) {
  const folder = event.target.closest?.(".folder[data-folder]");
  const isPlace = folder && folder.dataset.folder !== "0" && !folder.hasAttribute("aria-current");
  return isPlace ? folder : null;
}
