// What every module needs: finding elements, posting forms, saying words.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export const app = () => $("#app");
export const list = () => $("#list");
export const reading = () => $("#reading");

/** Whether two panes stand side by side (ui: 1024 px of the app). */
export const isWide = () => window.matchMedia("(min-width: 64rem)").matches;

export const isTyping = (element) =>
  element instanceof Element &&
  (element.closest("[contenteditable]:not([contenteditable=false]), textarea, select") !== null ||
    (element.matches("input") && !/^(checkbox|radio|button|submit)$/.test(element.type)));

const csrf = () => $("input[name=csrfmiddlewaretoken]")?.value ?? "";

/** Tell other modules (and the composer's bundle) something. */
export const tell = (name, detail = {}) =>
  document.dispatchEvent(new CustomEvent(`signet:${name}`, { detail }));

export const hear = (name, act) =>
  document.addEventListener(`signet:${name}`, (event) => act(event.detail));

/**
 * Post fields (an object or FormData) and return the response; a Signet-Toast header is shown and a
 * redirect for script is followed. Throws TypeError when the server cannot be reached.
 */
export async function post(url, fields, { target = "", quiet = false } = {}) {
  let body = fields;
  if (!(fields instanceof FormData)) {
    body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const each of [value].flat()) body.append(name, each);
    }
  }
  const response = await fetch(url, {
    method: "POST",
    body,
    credentials: "same-origin",
    headers: {
      "X-CSRFToken": csrf(),
      "HX-Request": "true",
      "HX-Request-Type": "partial",
      ...(target && { "HX-Target": target }),
    },
  });
  const toast = toastOf(response);
  if (toast && !quiet) tell("toast", toast);
  const next = response.headers.get("HX-Redirect");
  if (next) location.assign(next);
  return response;
}

export function toastOf(response) {
  const header = response.headers.get("Signet-Toast");
  return header ? JSON.parse(header) : null;
}

/** Draw an icon of the sprite. */
export function icon(name, look = "i") {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", look);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${document.body.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The words of a key or of keys: "g i", "Ctrl+K", "o|Enter" → elements. */
export function keyCaps(keys) {
  const isApple = /Mac|iP(hone|ad)/.test(navigator.platform);
  const caps = element("span", { class: "keys" });
  keys.split("|").forEach((sequence, number) => {
    if (number) caps.append(" / ");
    sequence.split(" ").forEach((press, step) => {
      if (step) caps.append(" ");
      for (const key of press.split(/(?<=.)\+(?=.)/)) {
        const shown = key === "Ctrl" && isApple ? "⌘" : key;
        const isShifted = /^[A-Z]$/.test(key) && press.length === 1;
        if (isShifted) caps.append(element("kbd", {}, "Shift"), " ");
        caps.append(element("kbd", {}, isShifted ? shown.toLowerCase() : shown), " ");
      }
    });
  });
  return caps;
}
