// Sign and Encrypt: Encrypt turns Sign on and holds it. The panel that says who cannot read it
// comes from the server, while the recipients are typed as well as after Send.

import { $, $$, post } from "./page.js";
import { parsed } from "./washing.js";

const ASK_AFTER = 250; // milliseconds
const ASKED = ["to", "cc", "bcc", "from", "sign", "encrypt"];

export function startProtection(form, { changed }) {
  const sign = $("[data-sign]", form);
  const encrypt = $("[data-encrypt]", form);
  hold(form, sign, encrypt);
  const panel = startPanel(form);
  sign.addEventListener("click", (event) => {
    if (encrypt.checked) event.preventDefault();
  });
  for (const each of [sign, encrypt]) {
    each.addEventListener("change", () => {
      hold(form, sign, encrypt);
      form.elements.moved.value = "yes";
      panel.look();
      changed();
    });
  }
  $("select[name=from]", form)?.addEventListener("change", panel.look);
  return panel;
}

function hold(form, sign, encrypt) {
  const note = $("[data-sign-note]", form);
  note.dataset.own ??= note.textContent;
  if (encrypt.checked) sign.checked = true;
  // Not `disabled`: a held switch must stay in the form and reachable by keyboard.
  sign.setAttribute("aria-disabled", encrypt.checked);
  if (note.childElementCount) return; // it offers a certificate
  note.textContent = encrypt.checked ? (form.dataset.wordsHeld ?? "") : note.dataset.own;
}

function startPanel(form) {
  const box = $("[data-protection]", form);
  const said = $("[data-protection-said]", form);
  let timer = 0;
  let question = 0; // only the answer to the newest one counts
  let asking = null;

  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (asking = ask()), ASK_AFTER);
  };
  const ask = async () => {
    timer = 0;
    const mine = (question += 1);
    try {
      const response = await post(form.dataset.protectionUrl, fieldsOf(form), { quiet: true });
      if (!response.ok) return;
      const text = response.status === 204 ? "" : await response.text();
      if (mine === question && form.isConnected) show(text);
    } catch {
      // Nothing was promised: Send asks the server again, and says when it cannot be reached.
    }
  };
  const show = (text) => {
    const panel = text ? $(".protection", parsed(text)) : null;
    if (panel?.textContent === $(".protection", box)?.textContent) return;
    const wasInside = box.contains(document.activeElement);
    box.replaceChildren(...(panel ? [panel] : []));
    said.textContent = panel ? $("h3", panel).textContent : "";
    if (wasInside) (panel ?? $("[data-encrypt]", form)).focus();
  };
  return {
    look,
    /** Wait until the panel says what it has to say of the form as it is. */
    async settled() {
      if (timer) {
        clearTimeout(timer);
        asking = ask();
      }
      await asking;
    },
  };
}

function fieldsOf(form) {
  const all = new FormData(form);
  const asked = new FormData();
  for (const name of ASKED) if (all.has(name)) asked.append(name, all.get(name));
  for (const each of $$("[data-addresses]", form)) asked.set(each.name, each.dataset.addresses);
  return asked;
}
