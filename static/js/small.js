// Small things of single pages: names of icons, menus that close, the drawer, the sign-in page.

import { focusList } from "./list.js";
import { $, $$, element, hear, isTyping, tell } from "./page.js";

const TIP_AFTER = 400; // milliseconds

export function startSmallThings() {
  startTips();
  startMenus();
  startDrawer();
  startCopying();
  startSignIn();
  keepTheme();
  tellZone();
}

function startTips() {
  let timer = 0;
  let tip = null;
  const hide = () => {
    clearTimeout(timer);
    tip?.remove();
    tip = null;
  };
  const plan = (event) => {
    const owner = event.target.closest?.("[data-tip]");
    hide();
    if (!owner) return;
    const words = owner.dataset.tip || owner.getAttribute("aria-label") || $(".vh", owner)?.textContent;
    const isRail = owner.closest(".side");
    if (!words || (isRail && innerWidth >= 1280)) return;
    timer = setTimeout(() => {
      tip = element("div", { class: "tip", "aria-hidden": "true" }, words);
      document.body.append(tip);
      const box = owner.getBoundingClientRect();
      const mine = tip.getBoundingClientRect();
      const x = isRail ? box.right + 6 : box.left + (box.width - mine.width) / 2;
      const y = isRail ? box.top + (box.height - mine.height) / 2 : box.bottom + 4;
      const left = Math.max(4, Math.min(innerWidth - mine.width - 4, x));
      const top = y + mine.height > innerHeight ? box.top - mine.height - 4 : y;
      tip.style.transform = `translate(${left}px, ${top}px)`;
    }, TIP_AFTER);
  };
  document.addEventListener("mouseover", plan);
  document.addEventListener("focusin", (event) => event.target.matches?.(":focus-visible") && plan(event));
  for (const name of ["mousedown", "focusout", "keydown"]) document.addEventListener(name, hide);
}

function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
}

function startDrawer() {
  const side = $("#side");
  if (!side) return;
  let opener = null;
  const close = () => {
    side.classList.remove("is-open");
    opener?.focus();
    opener = null;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-drawer]");
    if (link) {
      event.preventDefault();
      opener = link;
      side.classList.add("is-open");
      $("a", side).focus();
    } else if (side.matches(".is-open") && (event.target.closest("[data-drawer-close]") || !side.contains(event.target))) {
      event.preventDefault();
      close();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.matches(".is-open")) close();
  });
  // A folder was chosen: the way back is not the menu's button but what the folder holds.
  hear("drawer-close", () => {
    const hadFocus = side.matches(".is-open") && side.contains(document.activeElement);
    side.classList.remove("is-open");
    opener = null;
    if (hadFocus) focusList();
  });
}

function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    tell("toast", { words: $("#toasts").dataset.wordsCopied });
  });
}

function startSignIn() {
  $("[data-focus]")?.focus();
  for (const button of $$("[data-reveal]")) {
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.reveal);
      const isShown = field.type === "text";
      field.type = isShown ? "password" : "text";
      button.setAttribute("aria-pressed", !isShown);
    });
  }
  const form = $("[data-sign-in]");
  // One press is one try; the button comes back when the page does.
  form?.addEventListener("submit", () => setTimeout(() => ($("button.button-primary", form).disabled = true)));
  addEventListener("pageshow", () => {
    if (form) $("button.button-primary", form).disabled = false;
  });
  $("#search")?.addEventListener("keydown", (event) => {
    const isOffering = event.target.getAttribute("aria-expanded") === "true"; // closed first
    if (event.key === "Escape" && isTyping(event.target) && !isOffering) event.target.blur();
  });
}

/** Message documents cannot see the page's theme; the server reads it from this cookie. */
function keepTheme() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = document.documentElement.dataset.theme;
  const write = () => {
    const isDark = chosen === "system" ? dark.matches : chosen === "dark";
    document.cookie = `signet-theme=${isDark ? "dark" : "light"}; path=/; max-age=31536000; SameSite=Lax`;
  };
  write();
  dark.addEventListener("change", write);
}

/** Where the browser is: the server takes it for a person who has set no time zone. */
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `signet-zone=${zone}; path=/; max-age=31536000; SameSite=Lax`;
}
