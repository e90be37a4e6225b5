// The command palette and the help dialog.

import { $, $$, element, icon, keyCaps } from "./page.js";
import { commandGroups, run, runs } from "./commands.js";

const SHOWN = 12;
let back = null;

export function startDialogs() {
  runs.help = openHelp;
  runs.palette = openPalette;
  const palette = $("#palette");
  if (!palette) return;
  const input = $("#palette-input");
  input.addEventListener("input", () => showMatches(input.value));
  input.addEventListener("keydown", choose);
  $("#palette-list").addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) runItem(item);
  });
  for (const dialog of [palette, $("#help")]) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => back?.isConnected && back.focus());
  }
}

function openHelp() {
  const groups = $("#help-groups");
  if (!groups.childElementCount) {
    for (const { title, commands } of commandGroups()) {
      const rows = element("dl", {});
      for (const { words, keys } of commands.filter((each) => each.keys)) {
        rows.append(element("div", { class: "help-row" }, element("dt", {}, words), element("dd", {}, keyCaps(keys))));
      }
      groups.append(element("section", { class: "help-group" }, element("h3", {}, title), rows));
    }
  }
  back = document.activeElement;
  if (!$("#help").open) $("#help").showModal();
}

function openPalette() {
  back = document.activeElement;
  const input = $("#palette-input");
  input.value = "";
  showMatches("");
  if (!$("#palette").open) $("#palette").showModal();
  input.focus();
}

function candidates() {
  const goKeys = Object.fromEntries(commandGroups().flatMap(({ commands }) => commands.map(({ id, keys }) => [id, keys])));
  const found = commandGroups()
    .flatMap(({ commands }) => commands)
    .filter(({ id }) => id !== "palette" && !id.startsWith("go-") && runs[id]);
  const folders = $$("#folders .folder").map((link) => ({
    id: "",
    words: $("#palette").dataset.wordsGo.replace("{name}", $(".folder-name", link).textContent),
    keys: goKeys[`go-${link.dataset.role}`] ?? "",
    icon: "folder",
    act: () => link.click(),
  }));
  const own = $("#composer-form")
    ? [{ id: "insert-link", words: $("[data-format=link]")?.getAttribute("aria-label") ?? "", keys: "", icon: "link", act: () => $("[data-format=link]").click() }]
    : [];
  return [...own, ...found, ...folders];
}

/** Best first: the words begin with what was typed, then one of them does, then they hold it. */
function rank(words, typed) {
  const text = words.toLowerCase();
  if (text.startsWith(typed)) return 0;
  if (text.split(/\s+/).some((word) => word.startsWith(typed))) return 1;
  return text.includes(typed) ? 2 : 3;
}

function showMatches(value) {
  const typed = value.trim().toLowerCase();
  const found = candidates()
    .map((each) => ({ ...each, rank: typed ? rank(each.words, typed) : 0 }))
    .filter((each) => each.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, SHOWN);
  const items = found.map((each, number) => {
    const item = element("div", { class: "palette-item", role: "option", id: `command-${number}`, "aria-selected": "false" });
    item.append(icon(each.icon || "chevron-right"), element("span", {}, each.words));
    if (each.keys) item.append(keyCaps(each.keys));
    item.act = each.act ?? (() => run(each.id));
    return item;
  });
  $("#palette-list").replaceChildren(...items);
  select(items[0]);
}

function select(item) {
  for (const each of $$("#palette-list [role=option]")) each.setAttribute("aria-selected", each === item);
  $("#palette-input").setAttribute("aria-activedescendant", item?.id ?? "");
  item?.scrollIntoView({ block: "nearest" });
}

function choose(event) {
  const items = $$("#palette-list [role=option]");
  const at = items.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    select(items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]);
  } else if (event.key === "Enter" && items[at]) {
    event.preventDefault();
    runItem(items[at]);
  }
}

function runItem(item) {
  back = null;
  $("#palette").close();
  item.act();
}
