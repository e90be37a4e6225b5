// Acting at once: the page changes, the server is told, and what it refuses is put back.

import { $, $$, hear, post, reading, tell, toastOf } from "./page.js";
import { checkedIds, cursorRow, dressList, forget, moveCursorTo, openRow, rowOf, rows } from "./list.js";
import { closeReading, forgetAhead, openRowLink, refreshList } from "./open.js";
import { undoShown } from "./toast.js";

const LEAVING = new Set(["archive", "trash", "junk", "not-junk", "move"]);
const UNDO_LIMIT = 20;
const done = []; // groups that can be undone, newest last

export function startActions() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches?.("#list-form, #reading-form, .verdict-actions") || !event.submitter?.name) return;
    if (form.getAttribute("action") !== $("#act")?.getAttribute("action")) return;
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    const ids = form.id === "list-form" ? checkedIds() : fields.getAll("ids");
    event.submitter.closest("details")?.removeAttribute("open");
    act(fields.get("action"), {
      ids,
      kind: fields.get("kind"),
      target: fields.get("target"),
      folder: fields.get("folder"),
    });
  });
  hear("undo", ({ group }) => undoGroup(group));
}

/** Act on what is checked, else on what is open, else on the row under the cursor. */
export function actHere(action) {
  const ids = checkedIds();
  const { kind, folder } = listFields();
  if (ids.length) return act(action, { ids, kind, folder });
  const form = $("#reading-form");
  if (form && reading()?.dataset.message) {
    const fields = new FormData(form);
    return act(action, {
      ids: fields.getAll("ids"),
      kind: fields.get("kind"),
      folder: fields.get("folder"),
    });
  }
  const row = cursorRow();
  return row ? act(action, { ids: [row.dataset.id], kind, folder }) : null;
}

/** What the list's rows are: the kind of their ids and the folder they are in. */
export function listFields() {
  const form = $("#list-form");
  return { kind: form?.elements.kind.value ?? "conversation", folder: form?.elements.folder?.value };
}

export function isStarredHere() {
  const row = rowOf(checkedIds()[0] ?? "") ?? openRow() ?? cursorRow();
  return row ? row.matches(".is-starred") : Boolean($("#reading-form [value=unstar]"));
}

export async function act(action, { ids, kind, target = null, folder = null }) {
  if (!ids.length) return;
  const restore = showAtOnce(action, ids, kind);
  forget(ids);
  forgetAhead();
  const words = $("#toasts").dataset;
  try {
    const fields = { action, ids, kind, ...(folder && { folder }), ...(action === "move" && { target }) };
    // A changed flag is seen where it is; what has left the list is told.
    const response = await post($("#act").action, fields, { quiet: !LEAVING.has(action) });
    if (!response.ok) throw new Error(response.statusText);
    const toast = toastOf(response);
    if (toast?.undo) {
      done.push(toast.undo);
      done.splice(0, done.length - UNDO_LIMIT);
    }
  } catch {
    restore();
    tell("toast", {
      words: navigator.onLine ? words.wordsLost : words.wordsOffline,
      isError: true,
      actions: [{ words: words.wordsRetry, run: () => act(action, { ids, kind, target, folder }) }],
    });
  }
}

/** Change the page; return what puts it back. */
function showAtOnce(action, ids, kind) {
  const affected =
    kind === "conversation"
      ? ids.map(rowOf).filter(Boolean)
      : rows().filter((row) => ids.includes(row.dataset.message));
  if (LEAVING.has(action)) return takeAway(affected, ids, kind);
  const look = { read: "is-unread", unread: "is-unread", star: "is-starred", unstar: "is-starred" }[action];
  const isOn = action === "unread" || action === "star";
  const before = affected.map((row) => row.classList.contains(look));
  for (const row of affected) row.classList.toggle(look, isOn);
  if (action === "star" || action === "unstar") markStar(isOn);
  if (action === "unread" && affected.includes(openRow())) closeReading();
  return () => affected.forEach((row, n) => row.classList.toggle(look, before[n]));
}

function markStar(isOn) {
  const button = $("#reading-form [value=star], #reading-form [value=unstar]");
  if (!button) return;
  button.value = isOn ? "unstar" : "star";
  button.classList.toggle("is-on", isOn);
  button.setAttribute("aria-pressed", isOn);
}

function takeAway(affected, ids, kind) {
  const pane = reading();
  const isOpenLeaving =
    affected.includes(openRow()) ||
    (kind === "conversation" ? ids.includes(pane?.dataset.open) : ids.includes(pane?.dataset.message));
  const all = rows();
  const last = all.indexOf(affected.at(-1));
  const next = all.slice(last + 1).find((row) => !affected.includes(row)) ??
    all.slice(0, Math.max(0, last)).reverse().find((row) => !affected.includes(row)) ?? null;
  const places = affected.map((row) => [row, row.nextElementSibling]);
  const holders = [...affected, $(".selection")];
  const hadFocus = holders.some((each) => each?.contains(document.activeElement));
  for (const row of affected) row.remove();
  if (isOpenLeaving) {
    if (next) openRowLink(next);
    else closeReading();
  } else if (next && hadFocus) moveCursorTo(next);
  return () => {
    for (const [row, after] of places.reverse()) $("#rows")?.insertBefore(row, after?.isConnected ? after : null);
    dressList();
  };
}

/** Undo the newest thing: a mail still waiting, else the last change of this tab. */
export function undoLast() {
  if (undoShown()) return;
  const group = done.at(-1);
  if (group) undoGroup(group);
}

async function undoGroup(group) {
  const at = done.indexOf(group);
  if (at >= 0) done.splice(at, 1);
  try {
    const response = await post($("#act").dataset.undo, { group }, { quiet: true });
    tell("toast", toastOf(response) ?? { words: $("#toasts").dataset.wordsUndone });
  } catch {
    tell("toast", { words: $("#toasts").dataset.wordsLost, isError: true });
  }
  forgetAhead();
  refreshList();
}

/** Tools over the hovered row: one set for the whole list. */
export function startRowTools() {
  const tools = $("#row-tools")?.content.firstElementChild;
  if (!tools || !window.matchMedia("(hover: hover)").matches) return;
  document.addEventListener("mouseover", (event) => {
    const row = event.target.closest?.("#rows > .row");
    if (row && tools.closest(".row") !== row) {
      $("[value=read], [value=unread]", tools).value = row.matches(".is-unread") ? "read" : "unread";
      $(".row-main", row).append(tools);
    }
  });
  document.addEventListener("mouseout", (event) => {
    if (event.target.closest?.("#list") && !event.relatedTarget?.closest?.("#list")) tools.remove();
  });
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const row = tools.closest(".row");
    if (!button || !row) return;
    event.preventDefault();
    tools.remove();
    act(button.value, { ids: [row.dataset.id], ...listFields() });
  });
}

export const anyChecked = () => $$("#rows input:checked").length > 0;
