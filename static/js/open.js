// Opening conversations in place: htmx swaps the reading pane; the next ones are fetched ahead.

import htmx from "htmx.org";

import { $, $$, app, isWide, list, post, reading, tell } from "./page.js";
import { cursorRow, dressList, moveCursorTo, openRow, rows } from "./list.js";

const READ_AFTER = 1500; // milliseconds
const KEPT = 30_000;
const SKELETON_AFTER = 150;
const ahead = new Map();
let turn = 0; // raised whenever the session's keys are locked, unlocked, added or deleted
const begunAt = new WeakMap(); // request → turn
let readTimer = 0;
let skeletonTimer = 0;
let shown = null;
let composedFrom = null; // the link that opened the composer

export function open(url, { push = true } = {}) {
  clearTimeout(skeletonTimer);
  skeletonTimer = setTimeout(showSkeleton, SKELETON_AFTER);
  return htmx.ajax("GET", url, {
    source: "#opener",
    target: "#reading",
    swap: "outerHTML",
    push: push ? "true" : "false",
    headers: { "HX-Target": "main#reading" },
  });
}

export function closeReading() {
  const home = list()?.dataset.url ?? "/";
  const from = reading()?.matches("[data-composer]") ? composedFrom : null;
  return open(home).then(() => (from?.isConnected ? from.focus() : moveCursorTo(cursorRow())));
}

export function openRowLink(row) {
  if (!row) return;
  moveCursorTo(row, { focus: isWide() });
  for (const each of $$("#rows > .row.is-open")) setOpen(each, false);
  setOpen(row, true);
  open($(".row-link", row).getAttribute("href"));
}

function setOpen(row, isOpen) {
  row.classList.toggle("is-open", isOpen);
  if (isOpen) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
}

/** Ask again for the list and the folders' counts; nothing moves if nothing changed. */
export function refreshList(url = list()?.dataset.url) {
  if (!url || !list()) return null;
  return htmx.ajax("GET", url, {
    source: "#refresher",
    target: "#list",
    // What is open beside the list names the page.
    swap: reading()?.matches(".reading-empty") === false ? "outerMorph ignoreTitle:true" : "outerMorph",
    headers: { "HX-Target": "aside#list" },
  });
}

// A source of its own: what asks for the list again must not end this question.
/** Ask again for a body that was still being made. */
export function refreshOpened(box) {
  return htmx.ajax("GET", box.dataset.url, {
    source: box,
    target: `#${box.id}`,
    swap: "outerHTML",
    headers: { "HX-Target": `div#${box.id}` },
  });
}

export function startOpening(onKey) {
  document.addEventListener("click", follow);
  document.addEventListener("htmx:before:request", ({ detail }) => useAhead(detail.ctx));
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    settle(onKey);
    if ((begunAt.get(detail.ctx) ?? turn) !== turn) giveUpSecrets(); // asked for before the keys turned
  });
  document.addEventListener("htmx:finally:request", () => clearTimeout(skeletonTimer));
  document.addEventListener("htmx:error", ({ detail }) => {
    clearTimeout(skeletonTimer);
    const words = $("#toasts")?.dataset;
    if (detail.ctx && words) tell("toast", { words: navigator.onLine ? words.wordsLost : words.wordsOffline });
  });
  shown = reading();
  settleReading();
}

function follow(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest?.("a") ?? $(".row-link", event.target.closest?.(".row time")?.closest(".row") ?? document.createElement("i"));
  if (!link || !$("#opener")) return;
  const go = wayOf(link);
  if (!go) return;
  event.preventDefault();
  go();
}

function wayOf(link) {
  const url = link.getAttribute("href");
  if (link.matches(".row-link")) return () => openRowLink(link.closest(".row"));
  if (link.matches("[data-open-link], [data-open-compose]") && list()) {
    if (link.matches("[data-open-compose]")) composedFrom = link;
    return () => open(url).then(() => link.matches("[data-open-link]") && markOpen());
  }
  if (link.matches("[data-back], [data-close]") && list()) return closeReading;
  if (link.matches("[data-unfold]")) return () => unfold(link);
  if (link.matches("[data-refresh]")) return () => refreshList(url);
  if (link.closest(".pager, .narrow, [data-menu] .menu-panel") && link.closest("#list")) {
    return () => showList(url);
  }
  if (link.matches(".folder[data-folder]") && list() && link.dataset.folder !== "0" && link.dataset.role !== "drafts") {
    return () => showList(url, { close: true });
  }
  return null;
}

/** Show another list beside what is open, or instead of it. */
async function showList(url, { close = false } = {}) {
  await htmx.ajax("GET", url, {
    source: "#opener",
    target: "#list",
    swap: "outerHTML",
    push: "true",
    headers: { "HX-Target": "aside#list" },
  });
  const top = $("#rows");
  if (top) top.scrollTop = 0;
  tell("drawer-close");
  if (close && reading() && !reading().matches(".reading-empty")) await open(url, { push: false });
}

function unfold(link) {
  const box = link.closest("article");
  htmx.ajax("GET", link.getAttribute("href"), {
    source: "#opener",
    target: `#${box.id}`,
    swap: "outerHTML",
    headers: { "HX-Target": `article#${box.id}` },
  });
}

/** After any swap: new frames, a new message, a new list. */
function settle(onKey) {
  clearTimeout(skeletonTimer);
  dressList();
  markOpen(); // a list that was asked for again does not know what is open beside it
  if (reading() !== shown) {
    shown = reading();
    settleReading();
  }
  tell("swapped", { onKey });
}

function settleReading() {
  const pane = reading();
  if (!pane) return;
  markOpen();
  const row = openRow();
  if (row) moveCursorTo(row, { focus: false });
  clearTimeout(readTimer);
  if (pane.dataset.message) readTimer = setTimeout(() => markRead(pane), READ_AFTER);
  if (!isWide() && pane.dataset.message) $("#subject")?.focus({ preventScroll: true });
  if (pane.dataset.message || pane.matches(".reading-empty")) fetchAhead();
  tell("reading", { pane });
}

function markOpen() {
  const { open: id, message } = reading()?.dataset ?? {};
  const isOfMessages = $("#list-form")?.elements.kind.value === "message"; // search results
  for (const row of rows()) {
    const isOpen = isOfMessages ? row.dataset.message === message : row.dataset.id === id;
    if (row.matches(".is-open") !== isOpen) setOpen(row, isOpen);
  }
}

function markRead(pane) {
  if (!pane.isConnected) return;
  const unread = $$("article.message[data-unread]", pane);
  if (!unread.length) return;
  for (const each of unread) each.removeAttribute("data-unread");
  openRow()?.classList.remove("is-unread");
  const ids = unread.map((each) => each.dataset.message);
  post($("#act").action, { action: "read", kind: "message", ids }, { quiet: true }).catch(() => {
    for (const each of unread) each.setAttribute("data-unread", "");
  });
}

/** Fetch the two rows on either side of the cursor, so that the next message is there at once. */
function fetchAhead() {
  if (navigator.connection?.saveData || !rows().length) return;
  const all = rows();
  const at = all.indexOf(cursorRow());
  const wanted = [at + 1, at - 1, at + 2, at - 2].filter((n) => n >= 0 && n < all.length);
  setTimeout(async () => {
    for (const n of wanted) await fetchOne($(".row-link", all[n]).getAttribute("href"));
  }, 120);
}

async function fetchOne(url) {
  const begun = turn;
  const known = ahead.get(url);
  if (known && performance.now() - known.at < KEPT) return;
  try {
    const response = await fetch(url, {
      credentials: "same-origin",
      priority: "low",
      headers: { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "main#reading" },
    });
    const text = await response.text();
    if (begun === turn && response.ok && !response.redirected && !text.includes('data-state="rendering"')) {
      ahead.set(url, { text, at: performance.now() });
    }
  } catch {
    // Nothing was promised: the page asks again when the message is opened.
  }
  for (const [each, { at }] of ahead) if (performance.now() - at > KEPT) ahead.delete(each);
}

/** Drop what was fetched ahead: something changed. */
export const forgetAhead = () => ahead.clear();

/**
 * The keys were turned, here or in another tab: what came out of encrypted mail goes at once, and
 * the page asks what it may show now.
 */
export function turnKeys() {
  turn += 1;
  forgetAhead();
  giveUpSecrets();
}

function giveUpSecrets() {
  const pane = reading();
  if (!pane || !(pane.matches("[data-secret]") || $("[data-secret], [data-state=rendering]", pane))) return;
  $("#viewer")?.close();
  document.title = "Signet";
  const url = $(`#opened-${pane.dataset.message}`, pane)?.dataset.url;
  if (url && $("#opener")) {
    showSkeleton();
    open(url, { push: false });
  } else {
    pane.replaceChildren();
    location.reload();
  }
}

function useAhead(ctx) {
  begunAt.set(ctx, turn);
  if (ctx.sourceElement?.id !== "opener" || ctx.request.method !== "GET") return;
  const url = ctx.request.action;
  const known = ahead.get(url);
  ahead.delete(url);
  if (known && performance.now() - known.at < KEPT && ctx.target?.id === "reading") {
    ctx.fetch = async () => new Response(known.text, { headers: { "Content-Type": "text/html" } });
  }
}

function showSkeleton() {
  const made = $("#reading-skeleton")?.content.cloneNode(true);
  const pane = reading();
  if (made && pane && app()) {
    $(".reading-scroll", pane)?.replaceChildren(made);
  }
}
