// The rich editor beside the plain text field: Squire writes, the form gets `html` and `text`. In
// plain text the field itself is written into and `html` stays out of the form.

import Squire from "squire-rte";

import { $, $$ } from "./page.js";
import { washed } from "./washing.js";

export function startEditor(form, { changed }) {
  const plain = $(".editor-plain", form);
  const root = document.createElement("div");
  root.className = "editor";
  root.setAttribute("role", "textbox");
  root.setAttribute("aria-multiline", "true");
  const name = plain.getAttribute("aria-label");
  root.dir = "auto";
  plain.before(root);
  const squire = new Squire(root, {
    blockTag: "DIV",
    sanitizeToDOMFragment: (html) => washed(html),
    addLinks: true,
  });
  const html = $("[data-editor-html]", form).content.textContent.trim();
  squire.setHTML(html || textToHtml(plain.value));
  let isPlain = form.elements.plain.value === "yes";
  const field = form.elements.html;
  const show = () => {
    root.hidden = isPlain;
    plain.hidden = !isPlain;
    // One field is called so at a time: the other is no place to write in.
    const [shown, left] = isPlain ? [plain, root] : [root, plain];
    shown.setAttribute("aria-label", name);
    left.removeAttribute("aria-label");
    field.disabled = isPlain;
    form.elements.plain.disabled = false;
    form.elements.plain.value = isPlain ? "yes" : "no";
    for (const button of $$("[data-format]", form)) {
      if (button.dataset.format === "plain") button.setAttribute("aria-pressed", isPlain);
      else if (button.dataset.format !== "toggle") button.disabled = isPlain;
    }
  };
  const switchPlain = () => {
    if (isPlain) squire.setHTML(textToHtml(plain.value));
    else plain.value = htmlToText(root);
    isPlain = !isPlain;
    show();
    focus();
  };
  const focus = () => {
    if (isPlain) {
      plain.setSelectionRange(0, 0);
      plain.focus();
      return;
    }
    squire.moveCursorToStart();
    squire.focus();
  };
  show();
  squire.moveCursorToStart?.();
  squire.addEventListener("input", changed);
  squire.addEventListener("pathChange", () => showState(form, squire));
  startBar(form, squire, { changed, switchPlain });
  return {
    focus,
    store: () => {
      if (isPlain) return;
      field.value = squire.getHTML();
      plain.value = htmlToText(root);
    },
  };
}

function textToHtml(text) {
  const box = document.createElement("div");
  for (const line of text.split("\n")) {
    const block = document.createElement("div");
    block.append(line || document.createElement("br"));
    box.append(block);
  }
  return box.innerHTML;
}

/** The words as text: blocks are lines, quotes begin with ">", links keep their address. */
function htmlToText(root) {
  const lines = [""];
  const walk = (node, depth) => {
    const prefix = depth ? `${">".repeat(depth)} ` : "";
    const breakLine = () => lines.push(prefix);
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) {
        lines[lines.length - 1] += child.data.replace(/[\u200b\n]/g, "").replace(/\u00a0/g, " ");
      } else if (child.nodeName === "BR") {
        if (child.nextSibling) breakLine();
      } else if (child.nodeType === Node.ELEMENT_NODE) {
        const isBlock = /^(DIV|P|LI|UL|OL|BLOCKQUOTE|H[1-6]|PRE|TABLE|TR)$/.test(child.nodeName);
        const inner = depth + (child.nodeName === "BLOCKQUOTE" ? 1 : 0);
        const mark = inner ? `${">".repeat(inner)} ` : "";
        if (isBlock && lines.at(-1).replace(/^[> ]+$/, "") !== "") lines.push(mark);
        else if (isBlock) lines[lines.length - 1] = mark;
        if (child.nodeName === "LI") lines[lines.length - 1] += child.parentNode.nodeName === "OL" ? `${[...child.parentNode.children].indexOf(child) + 1}. ` : "* ";
        walk(child, inner);
        if (child.nodeName === "A" && child.href && child.textContent.trim() !== child.href && !child.href.startsWith("mailto:")) lines[lines.length - 1] += ` <${child.href}>`;
        if (isBlock) lines.push(prefix);
      }
    }
  };
  walk(root, 0);
  return lines.map((line) => line.trimEnd()).join("\n").trimEnd();
}

function startBar(form, squire, { changed, switchPlain }) {
  const bar = $("#format-bar", form);
  const does = {
    bold: () => toggle(squire, "B", "bold", "removeBold"),
    italic: () => toggle(squire, "I", "italic", "removeItalic"),
    underline: () => toggle(squire, "U", "underline", "removeUnderline"),
    strikethrough: () => toggle(squire, "S", "strikethrough", "removeStrikethrough"),
    bullets: () => (squire.hasFormat("UL") ? squire.removeList() : squire.makeUnorderedList()),
    numbers: () => (squire.hasFormat("OL") ? squire.removeList() : squire.makeOrderedList()),
    quote: () => (squire.hasFormat("BLOCKQUOTE") ? squire.decreaseQuoteLevel() : squire.increaseQuoteLevel()),
    link: () => askForLink(form, squire),
    plain: switchPlain,
  };
  for (const button of $$("[data-format]", form)) {
    button.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the selection
    button.addEventListener("click", () => {
      const name = button.dataset.format;
      if (name === "toggle") {
        bar.hidden = !bar.hidden;
        button.setAttribute("aria-expanded", !bar.hidden);
        return;
      }
      does[name]();
      changed();
    });
  }
}

function toggle(squire, tag, on, off) {
  if (squire.hasFormat(tag)) squire[off]();
  else squire[on]();
}

function askForLink(form, squire) {
  const dialog = $("[data-link-dialog]", form.parentElement);
  const field = $("input", dialog);
  const selection = squire.getSelection();
  field.value = "";
  dialog.showModal();
  field.focus();
  dialog.addEventListener(
    "close",
    () => {
      squire.setSelection(selection);
      const address = field.value.trim();
      if (dialog.returnValue === "ok" && /^(https?|mailto):/i.test(address)) squire.makeLink(address);
      squire.focus();
    },
    { once: true },
  );
}

function showState(form, squire) {
  const tags = { bold: "B", italic: "I", underline: "U", strikethrough: "S", bullets: "UL", numbers: "OL", quote: "BLOCKQUOTE" };
  for (const [name, tag] of Object.entries(tags)) {
    $(`#format-bar [data-format=${name}]`, form)?.setAttribute("aria-pressed", squire.hasFormat(tag));
  }
}
