// The conversation list: a grid with one tab stop, a cursor, checks that survive a refresh.

import { $, $$, list } from "./page.js";

const checked = new Set();
let cursorId = null;

export const rows = () => $$("#rows > .row");
export const rowOf = (id) => document.getElementById(`c${id}`);
export const openRow = () => $("#rows > .row.is-open");

/** The row under the cursor, else the open one, else the first. */
export function cursorRow() {
  return (cursorId && rowOf(cursorId)) || openRow() || rows()[0] || null;
}

/** Give the list its roles and restore what a refresh does not know. */
export function dressList() {
  const grid = $("#rows");
  if (!grid) return;
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", $(".list-title", list())?.textContent ?? "");
  grid.setAttribute("aria-multiselectable", "true");
  grid.setAttribute("aria-rowcount", grid.dataset.total || rows().length);
  const cursor = cursorRow();
  rows().forEach((row, number) => {
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", number + 1);
    $(".row-check", row).setAttribute("role", "gridcell");
    $(".row-main", row).setAttribute("role", "gridcell");
    const box = $("input", row);
    box.tabIndex = -1;
    box.checked = checked.has(row.dataset.id);
    row.setAttribute("aria-selected", box.checked);
    $(".row-link", row).tabIndex = row === cursor ? 0 : -1;
  });
  for (const id of checked) if (!rowOf(id)) checked.delete(id);
  countChecked();
}

export function moveCursorTo(row, { focus = true } = {}) {
  if (!row) return;
  const before = cursorRow();
  if (before) $(".row-link", before).tabIndex = -1;
  cursorId = row.dataset.id;
  const link = $(".row-link", row);
  link.tabIndex = 0;
  if (focus) link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** The row under the cursor has the focus, or the list itself when it is empty. */
export function focusList() {
  const row = cursorRow();
  if (row) moveCursorTo(row);
  else list()?.focus();
}

export function step(by) {
  const all = rows();
  const at = all.indexOf(cursorRow());
  return all[Math.min(all.length - 1, Math.max(0, at + by))] ?? null;
}

export function check(row, on = null) {
  if (!row) return;
  const box = $("input", row);
  box.checked = on ?? !box.checked;
  noteCheck(box);
}

export function checkAll(on) {
  for (const row of rows()) check(row, on);
}

export const checkedIds = () => [...checked];

export function forget(ids) {
  for (const id of ids) checked.delete(String(id));
  countChecked();
}

function noteCheck(box) {
  const row = box.closest(".row");
  if (box.checked) checked.add(row.dataset.id);
  else checked.delete(row.dataset.id);
  row.setAttribute("aria-selected", box.checked);
  countChecked();
}

function countChecked() {
  const words = $("[data-selection-count]");
  if (words) words.textContent = words.dataset.words.replace("{n}", checked.size);
  // The tools over the list go with the last check.
  if (!checked.size && $(".selection")?.contains(document.activeElement)) focusList();
}

let lastChecked = null;

export function startList() {
  document.addEventListener("change", (event) => {
    if (event.target.matches(".row-check input")) noteCheck(event.target);
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.(".row-check input");
    if (!box) return;
    const row = box.closest(".row");
    if (event.shiftKey && lastChecked?.isConnected) {
      const all = rows();
      const [from, to] = [all.indexOf(lastChecked), all.indexOf(row)].sort((a, b) => a - b);
      for (const each of all.slice(from, to + 1)) check(each, box.checked);
    }
    lastChecked = row;
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("#rows > .row");
    if (row && event.target.matches(".row-link") && row.dataset.id !== cursorId) {
      moveCursorTo(row, { focus: false });
    }
  });
  document.addEventListener("keydown", moveInGrid);
  dressList();
  startGrip();
}

function moveInGrid(event) {
  const row = event.target.closest?.("#rows > .row");
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = rows();
  const toRow = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Home: () => all[0],
    End: () => all.at(-1),
  }[event.key];
  if (toRow) {
    event.preventDefault();
    moveCursorTo(toRow());
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const isBack = (event.key === "ArrowLeft") !== (document.documentElement.dir === "rtl");
    event.preventDefault();
    $(isBack ? ".row-check input" : ".row-link", row).focus();
  }
}

/** Drag the edge between list and message; 320 to 560 px, kept for this browser. */
function startGrip() {
  const pane = list();
  if (!pane) return;
  const set = (width) => {
    const kept = Math.min(560, Math.max(320, width));
    document.documentElement.style.setProperty("--list-width", `${kept}px`);
    localStorage.setItem("signet-list-width", kept);
  };
  const kept = Number(localStorage.getItem("signet-list-width"));
  if (kept) set(kept);
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.matches(".list-grip")) return;
    event.preventDefault();
    const box = list().getBoundingClientRect();
    const isRtl = document.documentElement.dir === "rtl";
    const move = (moved) => set(isRtl ? box.right - moved.clientX : moved.clientX - box.left);
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", () => document.removeEventListener("pointermove", move), { once: true });
  });
}
