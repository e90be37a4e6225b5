// The composer: starts on the page that has one, and again when one is swapped in.

import { $, $$, post, tell } from "./page.js";
import { startChips } from "./chips.js";
import { startEditor } from "./editor.js";
import { startProtection } from "./protection.js";
import { startUploads } from "./uploads.js";
import { follows, noteLeft, waitForWords } from "./following.js";
import { parsed } from "./washing.js";

const SAVE_AFTER = 1500; // milliseconds without a key
const started = new WeakSet();
let leaving = null; // of the composer that started last: saves what is not saved yet

/** Wake the composer in `pane`; twice is once. */
export function startComposer(pane) {
  const form = $("#composer-form", pane);
  if (!form || started.has(form)) return;
  started.add(form);
  leaving?.();
  if (follows(form)) start(form);
  else waitForWords(form, { start, startAnew: startComposer });
}

function start(form) {
  const editor = startEditor(form, { changed: () => saving.soon() });
  const saving = startSaving(form, editor);
  const protection = startProtection(form, { changed: () => saving.soon() });
  startChips(form, { changed: () => { saving.soon(); protection.look(); } });
  startUploads(form, { saved: (revision) => saving.note(revision) });
  startSending(form, editor, saving, protection);
  form.dataset.editor = "started";
  form.addEventListener("input", (event) => event.target.name && saving.soon());
  for (const button of $$("[data-show]", form)) {
    button.addEventListener("click", () => {
      const row = $(`[data-recipients-row=${button.dataset.show}]`, form);
      row.classList.add("is-shown");
      button.remove();
      $(".chip-input", row)?.focus();
    });
  }
  $("#subject-field", form).addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    editor.focus();
  });
  if (form.dataset.preparing) setTimeout(() => location.reload(), 1200);
  else focusFirst(form, editor);
}

function focusFirst(form, editor) {
  if ($("#recipients-failure", form)) $("#to", form).focus();
  else if (form.dataset.relation && form.dataset.relation !== "forward") editor.focus();
  else $("#to", form).focus();
}

function fieldsOf(form, editor) {
  editor.store();
  // Counts this page's saves, so that a late one never undoes a later one.
  form.elements.step.value = Number(form.elements.step.value) + 1;
  return new FormData(form);
}

function startSaving(form, editor) {
  const line = $("[data-saved]", form);
  let timer = 0;
  let running = null;
  let isDirty = false;

  const note = (revision) => {
    if (revision) form.elements.revision.value = revision;
  };
  const save = async () => {
    clearTimeout(timer);
    if (running) await running;
    if (!isDirty) return; // another pane may stand here by now: what was typed is saved all the same
    isDirty = false;
    running = send().finally(() => (running = null));
    await running;
  };
  const send = async () => {
    try {
      const response = await post(form.dataset.save, fieldsOf(form, editor));
      const page = parsed(await response.text());
      line.replaceChildren(...page.childNodes);
      note(response.headers.get("Signet-Revision"));
      if (response.status === 409) form.dispatchEvent(new CustomEvent("signet:conflict"));
    } catch {
      isDirty = true;
      tell("toast", { words: $("#toasts").dataset.wordsOffline });
    }
  };
  const soon = () => {
    isDirty = true;
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER);
  };
  const stop = () => {
    clearTimeout(timer);
    isDirty = false;
  };
  document.addEventListener("visibilitychange", () => document.hidden && save());
  const leave = (event) => {
    if (!isDirty && !running) return;
    const fields = fieldsOf(form, editor);
    if (navigator.sendBeacon(form.dataset.save, fields)) {
      stop();
      noteLeft(form, fields);
    } else if (event?.type === "beforeunload") {
      event.preventDefault(); // too long for a beacon: the browser asks whether to stay
      save();
    }
  };
  leaving = leave;
  // Before the next page is asked for, which may be this draft again; what came since, at the end.
  addEventListener("beforeunload", leave);
  addEventListener("pagehide", leave);
  for (const link of $$("[data-close]", form)) link.addEventListener("click", save, { capture: true });
  return { soon, save, stop, note, settled: () => running };
}

function startSending(form, editor, saving, protection) {
  const box = $("[data-protection]", form);
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    const action = button?.getAttribute("formaction");
    if (action === form.dataset.save) {
      event.preventDefault();
      saving.soon();
      saving.save();
      return;
    }
    if (action && action !== form.getAttribute("action")) { // discard, detach: plain posts of it all
      saving.stop();
      fieldsOf(form, editor);
      return;
    }
    event.preventDefault();
    await protection.settled();
    const panel = $(".protection", box);
    if (panel && button?.name !== "choice") {
      panel.focus();
      return;
    }
    saving.stop();
    await saving.settled();
    const fields = fieldsOf(form, editor);
    if (button?.name) fields.set(button.name, button.value);
    const buttons = $$("[data-send]", form);
    for (const each of buttons) each.disabled = true;
    try {
      await answer(await post(form.action, fields, { target: "main#reading" }), form, box);
    } catch {
      tell("toast", { words: $("#toasts").dataset.wordsLost, isError: true });
      saving.soon();
    } finally {
      for (const each of buttons) each.disabled = false;
    }
  });
}

async function answer(response, form, box) {
  if (response.status === 204) {
    leave();
    return;
  }
  const page = parsed(await response.text());
  const panel = $(".protection", page);
  const whole = $("#reading", page);
  if (whole) {
    const pane = $("#reading");
    pane.replaceWith(whole);
    startComposer(whole);
    $(".composer-failure, [data-failure]", whole)?.scrollIntoView({ block: "nearest" });
  } else if (panel) {
    box.replaceChildren(panel);
    panel.focus();
    panel.scrollIntoView({ block: "nearest" });
  } else if ($("[data-state]", page)) {
    $("[data-saved]", form).replaceChildren(...page.childNodes);
  }
}

/** After sending: back to the list where there is one, else to the inbox. */
function leave() {
  if ($("#list")) tell("close-reading");
  else location.assign("/");
}

const here = $("#reading[data-composer]");
if (here) startComposer(here);
