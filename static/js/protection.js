// Sign and Encrypt: Encrypt turns Sign on and holds it; the panel goes when its reason goes.

import { $ } from "./page.js";
import { everyoneCan } from "./chips.js";

export function startProtection(form, { changed }) {
  const sign = $("[data-sign]", form);
  const encrypt = $("[data-encrypt]", form);
  const note = $("[data-sign-note]", form);
  const own = note.textContent;
  const hold = () => {
    if (encrypt.checked) sign.checked = true;
    // Not `disabled`: a held switch must stay in the form and reachable by keyboard.
    sign.setAttribute("aria-disabled", encrypt.checked);
    if (encrypt.checked && !note.childElementCount) note.textContent = form.dataset.wordsHeld ?? "";
    else if (!note.childElementCount) note.textContent = own;
  };
  sign.addEventListener("click", (event) => {
    if (encrypt.checked) event.preventDefault();
  });
  encrypt.addEventListener("change", () => {
    hold();
    look();
    changed();
  });
  const look = () => {
    const box = $("[data-protection]", form);
    const isPeople = $(".protection", box)?.dataset.kind === "people-missing";
    if (box.childElementCount && isPeople && (!encrypt.checked || everyoneCan(form))) box.replaceChildren();
  };
  hold();
  return { look };
}
