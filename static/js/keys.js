// The keyboard: single keys outside text fields (they can be switched off), sequences within a
// second, and Ctrl or Cmd with Enter and K everywhere.

import { $, isTyping } from "./page.js";
import { commandGroups, openedFrom, run } from "./commands.js";

const SEQUENCE = 1000; // milliseconds
const singles = new Map();
const sequences = new Map();
let first = "";
let timer = 0;

export function startKeys() {
  for (const { commands } of commandGroups()) {
    for (const { id, keys } of commands) {
      for (const way of keys.split("|").filter(Boolean)) {
        if (way.includes(" ")) sequences.set(way, id);
        else if (!way.includes("+") && way !== "Enter") singles.set(way, id);
      }
    }
  }
  document.addEventListener("keydown", onKey);
}

export function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    const id = { k: "palette", Enter: $("#composer-form") ? "send" : "" }[event.key];
    if (id) {
      event.preventDefault();
      run(id);
    }
    return;
  }
  if (event.key === "Escape") return escape(event);
  if (event.altKey || isTyping(event.target) || $("dialog[open]")) return;
  if (document.body.dataset.keyboard === "off" && event.key !== "?") return;
  const id = first ? sequences.get(`${first} ${event.key}`) : singles.get(event.key);
  clearTimeout(timer);
  const begins = !first && [...sequences.keys()].some((way) => way.startsWith(`${event.key} `));
  first = begins ? event.key : "";
  if (begins) timer = setTimeout(() => (first = ""), SEQUENCE);
  if (id) {
    event.preventDefault();
    run(id);
  }
}

function escape(event) {
  const menu = event.target.closest?.("details[data-menu][open], details.menu[open]");
  if (menu) {
    menu.open = false;
    const from = openedFrom.get(menu);
    openedFrom.delete(menu);
    (from?.isConnected && from !== document.body ? from : $("summary", menu)).focus();
  } else if (!$("dialog[open]") && $("#rows input:checked") && !isTyping(event.target)) {
    run("select-none");
  }
}
