// Attachments: cards that learn what they show, and the dialog that shows one after the other.

import htmx from "htmx.org";

import { $, $$, post, reading, tell } from "./page.js";

let back = null; // what had the focus before the dialog
let links = []; // of the attachments that can be looked at, in order
let at = 0;

export function startViewer() {
  document.addEventListener("click", choose);
  document.addEventListener("submit", answer);
  document.addEventListener("htmx:after:swap", learn);
  const dialog = $("#viewer");
  if (!dialog) return;
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", leave);
  learn();
}

/** Ask once for what the attachments of the open message look like. */
function learn() {
  for (const box of $$("[data-pending]", reading() ?? document)) {
    const url = box.dataset.pending;
    box.removeAttribute("data-pending");
    fill(box, url);
  }
}

// A source of its own: what asks for the list again must not end this question.
function fill(box, url) {
  return htmx.ajax("GET", url, {
    source: box,
    target: `#${box.id}`,
    swap: "outerHTML",
    headers: { "HX-Target": `div#${box.id}` },
  });
}

function choose(event) {
  const button = event.target.closest?.("[data-viewer]");
  if (button) return { before: () => step(-1), after: () => step(1), close: () => $("#viewer").close() }[button.dataset.viewer]();
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest?.("a[data-view]");
  const dialog = $("#viewer");
  if (!link || !dialog) return;
  event.preventDefault();
  const inside = dialog.contains(link);
  if (!inside) back = link;
  links = inside ? [link] : $$("a[data-view]", link.closest(".attachments") ?? document);
  at = links.indexOf(link);
  if (!dialog.open) dialog.showModal();
  show();
}

function step(by) {
  const next = at + by;
  if (!links[next]) return;
  at = next;
  show();
}

async function show() {
  const url = links[at].href;
  const dialog = $("#viewer");
  for (const [name, next] of [["before", at - 1], ["after", at + 1]]) {
    const button = $(`[data-viewer=${name}]`, dialog);
    if (button === document.activeElement && !links[next]) $("[data-viewer=close]", dialog).focus();
    button.disabled = !links[next];
    button.hidden = links.length < 2;
  }
  $("#viewer-place").textContent =
    links.length > 1
      ? dialog.dataset.wordsPlace.replace("{n}", at + 1).replace("{total}", links.length)
      : "";
  const content = $("#viewer-content");
  content.replaceChildren($("#viewer-waiting").content.cloneNode(true));
  try {
    await htmx.ajax("GET", url, {
      source: "#viewer-content",
      target: "#viewer-content",
      swap: "innerHTML",
      headers: { "HX-Target": "div#viewer-content" },
    });
  } finally {
    if ($(".viewer-wait", content)) content.textContent = dialog.dataset.wordsLost;
  }
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const isMirrored = getComputedStyle(event.currentTarget).direction === "rtl";
  step(isMirrored ? -by : by);
}

function leave() {
  $("#viewer-content").replaceChildren($("#viewer-waiting").content.cloneNode(true));
  // The cards may have been drawn again meanwhile.
  const again = back?.isConnected ? back : links[at]?.isConnected ? links[at] : null;
  again?.focus();
  back = null;
}

/** Answers to invitations, to what a mail asks, contacts to remember: without leaving the page. */
async function answer(event) {
  const form = event.target.closest?.("form[data-answer]");
  if (!form) return;
  event.preventDefault();
  const fields = new FormData(form, event.submitter);
  const buttons = $$("button", form);
  for (const each of buttons) each.disabled = true;
  try {
    const response = await post(form.action, fields);
    const box = form.closest(".findings");
    const url = response.headers.get("Signet-Again");
    if (box && url) await fill(box, url);
    // What had the focus is gone: the answer's place has it then.
    if (box?.hasAttribute("tabindex") && !form.isConnected) document.getElementById(box.id)?.focus();
  } catch {
    tell("toast", { words: $("#toasts").dataset.wordsLost });
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}
