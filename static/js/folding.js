// Messages of a conversation that were unfolded in place can be folded again; the focus follows.

import { $, $$ } from "./page.js";

const folded = new Map(); // id of an article → the line it was

export function startFolding() {
  // Before the line is asked for its message: `open.js` follows the same click.
  document.addEventListener("click", keep, { capture: true });
  document.addEventListener("htmx:after:swap", welcome);
}

function keep(event) {
  const button = event.target.closest?.("[data-fold]");
  if (button) fold(button.closest("article"));
  const line = event.target.closest?.("[data-unfold]")?.closest("article");
  if (line) folded.set(line.id, { line: line.cloneNode(true), isWaiting: true });
}

/** The message stands where its line stood: its name has the focus that the line had. */
function welcome() {
  for (const article of $$("#reading article.message")) {
    const kept = folded.get(article.id);
    if (!kept) continue;
    $("[data-fold]", article).hidden = false;
    if (!kept.isWaiting) continue;
    kept.isWaiting = false;
    const name = $(".message-from", article);
    name.tabIndex = -1;
    if (!document.activeElement || document.activeElement === document.body) name.focus();
  }
}

function fold(article) {
  const kept = folded.get(article.id);
  if (!kept) return;
  $(".is-unread", kept.line)?.classList.remove("is-unread"); // it was read meanwhile
  article.replaceWith(kept.line);
  $("[data-unfold]", kept.line).focus();
}
