// One toast at a time: words, undo, a countdown for a mail that is about to leave.

import { focusList } from "./list.js";
import { $, element, hear, post, tell } from "./page.js";

const UNDO_STAYS = 10_000; // milliseconds
const INFO_STAYS = 5_000;
const RING = 2 * Math.PI * 7;

let current = null;

export function startToasts() {
  hear("toast", show);
}

/**
 * {words, undo?, send_now?, seconds?, isError?, actions?: [{words, run}]}
 * `undo` is the group of a change, or the address that calls a mail back.
 */
export function show(toast) {
  const region = $("#toasts");
  if (!region || !toast.words) return;
  dismiss();
  const words = element("span", { class: "toast-words" }, toast.words);
  const box = element("div", { class: "toast" });
  const ring = toast.seconds > 0 ? drawRing() : null;
  if (ring) box.append(ring);
  box.append(words);
  for (const action of actionsOf(toast, region)) {
    const button = element("button", { class: "toast-action", type: "button" }, action.words);
    button.addEventListener("click", () => {
      dismiss();
      action.run();
    });
    box.append(button);
  }
  region.append(box);
  current = { box, from: document.activeElement, timer: 0, until: 0, left: toast.isError ? Infinity : staysFor(toast) };
  box.addEventListener("pointerenter", pause);
  box.addEventListener("focusin", pause);
  box.addEventListener("focusin", ({ relatedTarget }) => {
    if (current?.box === box && relatedTarget && !box.contains(relatedTarget)) current.from = relatedTarget;
  });
  box.addEventListener("pointerleave", resume);
  box.addEventListener("focusout", resume);
  if (ring) countDown(toast, words, ring);
  else resume();
}

export function dismiss() {
  if (!current) return;
  clearTimeout(current.timer);
  clearInterval(current.ticking);
  const { box, from } = current;
  const hadFocus = box.contains(document.activeElement);
  current = null;
  box.remove();
  if (!hadFocus) return;
  if (from.isConnected && from !== document.body) from.focus();
  else focusList();
}

/** Undo what the shown toast offers; false if it offers nothing. */
export function undoShown() {
  const button = current?.box.querySelector(".toast-action");
  if (!button || !current.box.querySelector(".toast-ring")) return false;
  button.click();
  return true;
}

function staysFor(toast) {
  return toast.undo || toast.actions?.length ? UNDO_STAYS : INFO_STAYS;
}

function actionsOf(toast, region) {
  const actions = [...(toast.actions ?? [])];
  if (toast.undo) {
    const isAddress = String(toast.undo).startsWith("/");
    const run = isAddress ? () => post(toast.undo, {}) : () => tell("undo", { group: toast.undo });
    actions.push({ words: region.dataset.wordsUndo, run });
  }
  if (toast.send_now) {
    actions.push({ words: region.dataset.wordsSendNow, run: () => post(toast.send_now, {}) });
  }
  if (toast.isError) actions.push({ words: region.dataset.wordsClose, run: () => {} });
  return actions;
}

function pause() {
  if (!current || current.ticking) return;
  clearTimeout(current.timer);
  current.left = Math.max(1000, current.until - performance.now());
}

function resume() {
  if (!current || current.ticking || current.left === Infinity) return;
  current.until = performance.now() + current.left;
  clearTimeout(current.timer);
  current.timer = setTimeout(dismiss, current.left);
}

function countDown(toast, words, ring) {
  const end = performance.now() + toast.seconds * 1000;
  const disc = ring.lastElementChild;
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const tick = () => {
    const left = end - performance.now();
    if (left <= 0) {
      dismiss();
      return;
    }
    words.textContent = toast.words.replace(/\d+/, Math.ceil(left / 1000));
    if (!isCalm) disc.style.strokeDashoffset = RING * (1 - left / (toast.seconds * 1000));
  };
  disc.style.strokeDasharray = RING;
  current.ticking = setInterval(tick, 250);
  // Read aloud once, not every second.
  words.setAttribute("aria-hidden", "true");
  words.before(element("span", { class: "vh" }, toast.words));
  tick();
}

function drawRing() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "toast-ring");
  svg.setAttribute("viewBox", "0 0 18 18");
  svg.setAttribute("aria-hidden", "true");
  for (let n = 0; n < 2; n += 1) {
    const circle = document.createElementNS(space, "circle");
    for (const [name, value] of [["cx", 9], ["cy", 9], ["r", 7]]) circle.setAttribute(name, value);
    svg.append(circle);
  }
  return svg;
}
