// Message documents: their height, where their links go, keys pressed inside them.
// The frames run no script; this page measures them (same origin, sandboxed).

import { $, $$ } from "./page.js";
import { offerFullSize, shrink, standOnPaper } from "./shrinking.js";

const HEIGHT_LIMIT = 200_000; // pixels
const fitted = new WeakSet();
const fits = new WeakMap(); // frame -> fit it now

export function fitFrames(onKey) {
  for (const frame of $$("iframe.body-frame")) {
    if (fitted.has(frame)) continue;
    fitted.add(frame);
    const begin = () => watch(frame, onKey);
    frame.addEventListener("load", begin);
    if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.body?.childNodes.length) begin();
  }
}

function watch(frame, onKey) {
  const page = frame.contentDocument;
  if (!page?.documentElement) return;
  const fit = () => {
    const root = page.documentElement;
    shrink(frame);
    let height = Math.ceil(root.getBoundingClientRect().height);
    // What overflows its own root (absolute heights, floats) counts too.
    if (root.scrollHeight > frame.clientHeight + 1) height = Math.max(height, root.scrollHeight);
    if (root.scrollWidth > root.clientWidth + 1) height += 16; // its scroll bar
    const wanted = `${Math.min(height, HEIGHT_LIMIT)}px`;
    if (frame.style.height !== wanted) frame.style.height = wanted;
  };
  new ResizeObserver(fit).observe(page.documentElement);
  if (page.body) new ResizeObserver(fit).observe(page.body);
  fits.set(frame, fit);
  fit();
  offerFullSize(frame, fit);
  for (const name of ["mouseover", "focusin"]) page.addEventListener(name, showTarget);
  for (const name of ["mouseout", "focusout"]) page.addEventListener(name, hideTarget);
  if (onKey) page.addEventListener("keydown", onKey);
}

/**
 * On paper nothing can be unfolded or scrolled to: frames show all of it, at the paper's width.
 * A message's menu prints that message alone, the browser's own command all that is unfolded.
 */
export function startPrinting() {
  let unfolded = [];
  const fitAll = (isOnPaper) => {
    for (const frame of $$("iframe.body-frame")) {
      fits.get(frame)?.();
      standOnPaper(frame, isOnPaper);
    }
  };
  document.addEventListener("click", (event) => {
    const message = event.target.closest?.("[data-print]")?.closest(".message");
    if (!message) return;
    event.target.closest("details").open = false;
    message.classList.add("is-printed");
    document.documentElement.classList.add("prints-one");
    print();
  });
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("is-printing");
    unfolded = $$("iframe.body-frame").flatMap((frame) => [...(frame.contentDocument?.querySelectorAll("details:not([open])") ?? [])]);
    for (const each of unfolded) each.open = true;
    fitAll(true);
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("is-printing", "prints-one");
    for (const message of $$(".message.is-printed")) message.classList.remove("is-printed");
    for (const each of unfolded) each.open = false;
    unfolded = [];
    fitAll(false);
  });
}

function showTarget(event) {
  const link = event.target.closest?.("a[href], area[href]");
  const line = $("#link-line");
  if (!link || !line) return;
  const target = new URL(link.href);
  const isMail = target.protocol === "mailto:" || target.protocol === "tel:";
  const rest = `${target.pathname}${target.search}`;
  // URL gives the host as punycode: a look-alike cannot hide here.
  line.replaceChildren();
  if (isMail) line.textContent = decodeURIComponent(target.pathname);
  else {
    const host = document.createElement("strong");
    host.textContent = target.host;
    line.append(`${target.protocol}//`, host, rest === "/" ? "" : rest.slice(0, 200));
  }
  line.hidden = false;
}

function hideTarget() {
  const line = $("#link-line");
  if (line) line.hidden = true;
}
