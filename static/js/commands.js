// Commands by name; the template #commands says their words and keys. The key map, the palette
// and the help dialog all read it.

import { $, $$, hear, list, reading, tell } from "./page.js";
import { actHere, isStarredHere, undoLast } from "./actions.js";
import { check, checkAll, cursorRow, moveCursorTo, step } from "./list.js";
import { closeReading, open, openRowLink } from "./open.js";

const isOpen = () => Boolean(reading()?.dataset.message);

function move(by) {
  const row = step(by);
  if (!row) return;
  if (isOpen() && row !== cursorRow()) openRowLink(row);
  else moveCursorTo(row);
}

function moveMessage(by) {
  const all = $$("#reading .folded-link, #reading .message .message-from");
  const at = all.findIndex((each) => each === document.activeElement || each.closest(".message")?.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, (at < 0 ? (by > 0 ? -1 : all.length) : at) + by))];
  if (!next) return;
  if (!next.matches("a")) next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function extend(by) {
  check(cursorRow(), true);
  const row = step(by);
  check(row, true);
  moveCursorTo(row);
}

const follow = (selector) => {
  const link = $(selector);
  if (link) link.click();
};
const goTo = (role) => follow(`#folders [data-role="${role}"]`);

export const runs = {
  next: () => move(1),
  previous: () => move(-1),
  open: () => openRowLink(cursorRow()),
  back: () => (list() && isOpen() ? closeReading() : follow("[data-close], .back")),
  "next-message": () => moveMessage(1),
  "previous-message": () => moveMessage(-1),
  search: () => $("#search")?.focus(),
  compose: () => (list() ? open($("[data-open-compose]").getAttribute("href")) : follow(".compose-button")),
  reply: () => follow("[data-reply]"),
  "reply-all": () => follow("[data-reply-all]"),
  forward: () => follow("[data-forward]"),
  send: () => $("#composer-form [data-send]")?.click(),
  undo: undoLast,
  "go-inbox": () => goTo("inbox"),
  "go-flagged": () => goTo("flagged"),
  "go-sent": () => goTo("sent"),
  "go-drafts": () => goTo("drafts"),
  "go-all": () => ($('#folders [data-role="all"]') ? goTo("all") : goTo("archive")),
  archive: () => actHere("archive"),
  trash: () => actHere("trash"),
  junk: () => actHere("junk"),
  star: () => actHere(isStarredHere() ? "unstar" : "star"),
  read: () => actHere("read"),
  unread: () => actHere("unread"),
  move: openMove,
  check: () => check(cursorRow()),
  "check-all": () => checkAll(true),
  "select-none": () => checkAll(false),
  "extend-down": () => extend(1),
  "extend-up": () => extend(-1),
  details: () => $(".verdict-details > summary")?.click(),
  keyboard: () => setKeyboard(document.body.dataset.keyboard === "off"),
  settings: () => follow('.side-end a[href*="settings"]'),
  keys: () => follow('.side-end a[href*="keys"]'),
  "close-dialog": () => $("dialog[open]")?.close(),
};

/** menu → what had the focus when a key opened it */
export const openedFrom = new WeakMap();

function openMove() {
  const menu = $(".selection:not([hidden]) [data-move]");
  const shown = menu?.offsetParent ? menu : $("#reading-form [data-move]");
  if (!shown) return;
  openedFrom.set(shown, document.activeElement);
  shown.open = true;
  $("select", shown).focus();
}

export function setKeyboard(isOn) {
  document.body.dataset.keyboard = isOn ? "on" : "off";
  document.cookie = `signet-keyboard=${isOn ? "on" : "off"}; path=/; max-age=31536000; SameSite=Lax`;
  for (const each of $$("[data-keyboard-switch]")) each.checked = isOn;
}

/** [{title, commands: [{id, words, keys, icon}]}], in the order of the page. */
export function commandGroups() {
  const source = $("#commands")?.content;
  if (!source) return [];
  return $$("section", source).map((section) => ({
    title: section.dataset.title,
    commands: $$("[data-do]", section).map((each) => ({
      id: each.dataset.do,
      words: each.textContent,
      keys: each.dataset.keys ?? "",
      icon: each.dataset.icon ?? "",
    })),
  }));
}

export function run(id) {
  runs[id]?.();
}

export function startCommands() {
  hear("run", ({ id }) => run(id));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-command]");
    if (button) tell("run", { id: button.dataset.command });
  });
  const forget = ({ target }) => target.open || openedFrom.delete(target);
  document.addEventListener("toggle", forget, { capture: true });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keyboard-switch]")) setKeyboard(event.target.checked);
  });
}
