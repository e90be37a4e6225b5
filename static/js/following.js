// A composer that follows another one of the same draft in its tab (a reload): it begins with all
// words of the one before, whose last save may still be on its way, and never contradicts it.

import { $ } from "./page.js";
import { parsed } from "./washing.js";

const LEFT = "signet-left-draft"; // in the tab's storage: which page was left, never what it said
const LOOKS = 25;
const LOOK_EVERY = 200; // milliseconds

/** Note that the page of `form` was left and `fields` are being saved. */
export function noteLeft(form, fields) {
  write({ url: form.dataset.save, key: fields.get("key"), step: Number(fields.get("step")) });
}

/** Name the page before `form` in its tab; whether all that was written there is here. */
export function follows(form) {
  const left = read();
  if (left?.url !== form.dataset.save) return true;
  form.elements.before.value = left.key;
  if (!holds(form, left)) return false;
  write({ ...left, step: 0 });
  return true;
}

/** Ask for the page again until the words are here; without them, if the save never arrives. */
export async function waitForWords(form, { start, startAnew }) {
  const left = read();
  form.inert = true;
  for (let look = 0; look < LOOKS && form.isConnected; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    const pane = await ask(form.dataset.open);
    const now = pane && $("#composer-form", pane);
    if (!now || !holds(now, left) || !form.isConnected) continue;
    form.closest("#reading").replaceWith(pane);
    startAnew(pane);
    return;
  }
  write({ ...left, step: 0 });
  form.inert = false;
  if (form.isConnected) start(form);
}

const holds = (form, { key, step }) =>
  !step || (form.dataset.savedBy === key && Number(form.dataset.savedStep) >= step);

async function ask(url) {
  try {
    const response = await fetch(url, {
      credentials: "same-origin",
      headers: { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "main#reading" },
    });
    return response.ok ? $("#reading", parsed(await response.text())) : null;
  } catch {
    return null; // the next look asks again
  }
}

function read() {
  return JSON.parse(sessionStorage.getItem(LEFT) ?? "null");
}

function write(left) {
  sessionStorage.setItem(LEFT, JSON.stringify(left));
}
