// Live updates: the server's hints make the page ask again for its list. No polling.

import { $, reading, tell } from "./page.js";
import { forgetAhead, refreshList, refreshOpened, turnKeys } from "./open.js";

const TOGETHER = 120; // milliseconds within which hints are answered once
let waiting = 0;
let session = document.body.dataset.session; // its key when the page was made, as a stamp
let keys = null; // what the person's own keys were when the stream last told

export function startLive() {
  if (!$("#toasts") || !$("#folders")) return;
  const stream = new EventSource("/events");
  stream.addEventListener("change", ({ data }) => change(JSON.parse(data)));
  stream.addEventListener("vault", ({ data }) => turned(JSON.parse(data)));
  stream.addEventListener("signed-out", () => {
    reading()?.replaceChildren();
    $("#rows")?.replaceChildren();
    location.assign("/sign-in");
  });
  // What changed between the page's making and now was told to nobody.
  stream.addEventListener("open", soon);
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("offline", () => tell("toast", { words: $("#toasts").dataset.wordsOffline }));
  addEventListener("online", soon);
}

/** The session can open other mail than before: its keys were locked, unlocked, added, deleted. */
function turned(now) {
  const before = keys ?? reading()?.dataset.keys ?? now.keys;
  const isSame = now.session === session && now.keys === before;
  ({ session, keys } = now);
  if (isSame) return;
  turnKeys();
  refreshList();
}

function change(event) {
  forgetAhead();
  if (event.kind === "toast" && event.words) tell("toast", { words: event.words });
  if (event.kind === "outbox") {
    if (event.words) tell("toast", { words: event.words, isError: true }); // only failures speak
    if ($("[data-outbox]")) location.reload();
  }
  const open = reading()?.dataset.message;
  if (event.kind === "message" && open && event.messages?.includes(Number(open))) {
    const box = $(`#opened-${open}[data-state="rendering"]`);
    if (box) refreshOpened(box);
  }
  tell("changed", event);
  soon();
}

/** Many hints close together are one question. */
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(refreshList, TOGETHER);
}
