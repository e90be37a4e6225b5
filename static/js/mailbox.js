// The mailbox: everything a page needs but the editor, which comes with the composer.

import htmx from "htmx.org";

import { $, hear, reading } from "./page.js";
import { startActions, startRowTools } from "./actions.js";
import { startCommands } from "./commands.js";
import { startDialogs } from "./dialogs.js";
import { startDragging } from "./drag.js";
import { startFolding } from "./folding.js";
import { fitFrames, startPrinting } from "./frame.js";
import { onKey, startKeys } from "./keys.js";
import { startList } from "./list.js";
import { startLive } from "./live.js";
import { closeReading, startOpening } from "./open.js";
import { startSearch } from "./search.js";
import { startSmallThings } from "./small.js";
import { startToasts } from "./toast.js";
import { startViewer } from "./viewer.js";

// The application's CSP demands Trusted Types. What htmx parses comes from this origin only (its
// mode is same-origin), and scripts in it never run: the policy gives them no text.
if (window.trustedTypes) {
  const policy = trustedTypes.createPolicy("signet", { createHTML: (html) => html, createScript: () => "" });
  htmx.registerExtension("signet-trust", { init: (api) => api.initSecurity(policy) });
}

startToasts();
startSmallThings();

if ($("#app")) {
  startList();
  startFolding();
  startOpening(onKey);
  startActions();
  startRowTools();
  startDragging();
  startSearch();
  startDialogs();
  startCommands();
  startKeys();
  startLive();
  startViewer();
  startPrinting();
  fitFrames(onKey);
  hear("swapped", () => fitFrames(onKey));
  hear("close-reading", () => closeReading());
  hear("reading", loadComposer);
  addEventListener("submit", holdComposer, { capture: true });
  loadComposer();
}

/** The editor is a script of its own; it starts itself in the composer it finds. */
async function loadComposer() {
  const script = reading()?.dataset.composerScript;
  if (!script) return;
  const { startComposer } = await import(script);
  startComposer(reading());
}

/**
 * A form whose editor is still on its way waits for it. Posted as without script it would come back
 * as a second page while this one goes on saving, and the two would contradict each other.
 */
async function holdComposer(event) {
  const { target: form, submitter } = event;
  if (form.id !== "composer-form" || form.dataset.editor) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  try {
    await loadComposer();
  } catch {
    form.dataset.editor = "none"; // everything works without it
  }
  // The hidden button is what Enter in a field presses; the editor saves by itself.
  if (form.isConnected && submitter && !submitter.hidden) form.requestSubmit(submitter);
}
