// Files: chosen, dropped or pasted, one upload at a time, with the bytes that have gone.

import { $, $$, element, icon } from "./page.js";
import { parsed } from "./washing.js";

const size = (octets) =>
  octets < 999_500 ? `${Math.max(1, Math.round(octets / 1000))} kB` : `${(octets / 1e6).toFixed(1)} MB`;

export function startUploads(form, { saved }) {
  const box = $("[data-attachments]", form);
  const queue = [];
  let isRunning = false;

  const add = (files) => {
    for (const file of files) queue.push({ file, card: waitingCard(file) });
    for (const { card } of queue) if (!card.isConnected) listOf(box).append(card);
    next();
  };
  const next = async () => {
    if (isRunning || !queue.length) return;
    isRunning = true;
    const { file, card } = queue.shift();
    await upload(form, file, card, { box, saved, waiting: queue.map((each) => each.card) });
    isRunning = false;
    next();
  };
  $("[data-files]", form).addEventListener("change", (event) => {
    add([...event.target.files]);
    event.target.value = "";
  });
  const area = $(".editor-area", form);
  form.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    area.classList.add("is-drop");
  });
  form.addEventListener("dragleave", () => area.classList.remove("is-drop"));
  form.addEventListener("drop", (event) => {
    area.classList.remove("is-drop");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}

function listOf(box) {
  let found = $("ul", box);
  if (!found) {
    found = element("ul", { class: "attachment-list upload-list" });
    box.append(found);
  }
  return found;
}

function waitingCard(file) {
  const art = element("span", { class: "attachment-art" }, icon("file"));
  const meta = element("span", { class: "attachment-meta", role: "status" }, size(file.size));
  const bar = element("progress", { max: "1", value: "0", "aria-label": file.name });
  const words = element("span", { class: "attachment-words" }, element("span", { class: "attachment-name" }, file.name), meta, bar);
  return element("li", { class: "attachment upload" }, art, words);
}

/** What could not be attached stays until the person has read it. */
function removeButton(form, file, card) {
  const words = form.dataset.wordsRemove.replace("{name}", file.name);
  const button = element("button", { class: "icon-button", type: "button", "aria-label": words }, icon("x", "i-s"));
  button.addEventListener("click", () => {
    card.remove();
    $("[data-files]", form).focus();
  });
  return button;
}

/** XMLHttpRequest, because fetch cannot tell how much of a body has gone. */
function upload(form, file, card, { box, saved, waiting }) {
  const fields = new FormData();
  fields.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  fields.append("files", file);
  const request = new XMLHttpRequest();
  const meta = $(".attachment-meta", card);
  return new Promise((resolve) => {
    const fail = (words) => {
      card.classList.add("is-failed");
      $("progress", card)?.remove();
      meta.textContent = words;
      card.append(removeButton(form, file, card));
      resolve();
    };
    if (file.size > Number(form.dataset.maxSize)) {
      fail(form.dataset.wordsTooLarge.replace("{limit}", size(Number(form.dataset.maxSize))));
      return;
    }
    request.open("POST", form.dataset.attach);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      $("progress", card).value = loaded / total;
      meta.textContent = form.dataset.wordsProgress.replace("{done}", size(loaded)).replace("{size}", size(total));
    });
    request.addEventListener("load", () => {
      if (request.status >= 400) {
        const words = $("[data-failure]", parsed(request.responseText))?.textContent.trim();
        fail(words || form.dataset.wordsFailed);
        return;
      }
      const failed = $$(".upload.is-failed", box);
      box.replaceChildren(parsed(request.responseText));
      listOf(box).append(...failed, ...waiting);
      saved(request.getResponseHeader("Signet-Revision"));
      resolve();
    });
    request.addEventListener("error", () => fail(form.dataset.wordsFailed));
    request.send(fields);
  });
}
