// The search field: recognised operators become tokens; Backspace opens the last one as text.
// Without script the field holds the whole query as it is.

import { $, $$, element, icon } from "./page.js";

const OPERATORS = ["from:", "to:", "subject:", "in:", "has:attachment", "is:unread", "is:starred", "is:signed", "is:encrypted", "before:", "after:"];
const TOKEN = /(?:^|\s)((?:from|to|cc|subject|in|label|has|is|before|after|larger|filename):(?:"[^"]*"|[^\s"]+))(?=\s)/i;
const SHOWN = 8;

export function startSearch() {
  const form = $("form.search");
  if (!form) return;
  const input = $("#search");
  const box = $("[data-tokens]", form);
  const whole = element("input", { type: "hidden", name: "q" });
  const tokens = () => $$(".token", box).map((each) => each.dataset.token);
  input.removeAttribute("name");
  const combobox = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "search-list" };
  for (const [name, value] of Object.entries(combobox)) input.setAttribute(name, value);
  form.append(whole);

  const add = (text) => {
    const at = text.indexOf(":") + 1;
    const token = element("button", { class: "token", type: "button", "data-token": text, "aria-label": `× ${text}` });
    token.append(element("b", {}, text.slice(0, at)), text.slice(at), icon("x", "i i-s"));
    token.addEventListener("click", () => {
      token.remove();
      input.focus();
    });
    box.append(token);
  };
  const read = (atEnd = false) => {
    let text = `${input.value}${atEnd ? " " : ""}`;
    for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
      add(found[1]);
      text = text.replace(found[0], "");
    }
    input.value = atEnd ? text.trim() : text.trimStart();
  };
  input.addEventListener("input", () => {
    read();
    suggest(form, input, box);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Backspace" || input.selectionEnd || !box.lastElementChild) return;
    event.preventDefault();
    input.value = `${box.lastElementChild.dataset.token}${input.value}`;
    box.lastElementChild.remove();
  });
  input.addEventListener("blur", () => setTimeout(() => closeList(form, input), 150));
  form.addEventListener("submit", () => {
    whole.value = [...tokens(), input.value.trim()].filter(Boolean).join(" ");
  });
  read(true);
}

/** Offer operators that begin with the word being typed. */
function suggest(form, input, box) {
  closeList(form, input);
  const word = input.value.split(/\s/).at(-1).toLowerCase();
  const found = word ? OPERATORS.filter((each) => each.startsWith(word) && each !== word).slice(0, SHOWN) : [];
  if (!found.length) return;
  const list = element("div", { class: "suggestions", role: "listbox", id: "search-list", "aria-label": input.getAttribute("aria-label") });
  for (const each of found) {
    const id = `search-${list.childElementCount}`;
    const item = element("div", { class: "suggestion", role: "option", id, "aria-selected": "false" }, each);
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      input.value = input.value.slice(0, input.value.length - word.length) + each + (each.endsWith(":") ? "" : " ");
      input.dispatchEvent(new Event("input"));
      input.focus();
    });
    list.append(item);
  }
  form.append(list);
  input.setAttribute("aria-expanded", "true");
  input.onkeydown = (event) => {
    const items = [...list.children];
    const at = items.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      items.forEach((each, n) => each.setAttribute("aria-selected", n === next));
      input.setAttribute("aria-activedescendant", items[next].id);
    } else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) {
      event.preventDefault();
      items[at].dispatchEvent(new MouseEvent("mousedown", { cancelable: true }));
    } else if (event.key === "Escape") closeList(form, input);
  };
}

function closeList(form, input) {
  $(".suggestions", form)?.remove();
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
  input.onkeydown = null;
}
