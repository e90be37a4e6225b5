// Recipients as chips over the address fields: completion, states, keys. The field keeps the text.

import { $, $$, element, icon } from "./page.js";

const ASK_AFTER = 120; // milliseconds
const ICONS = { ok: "lock", none: "lock-open", expired: "clock-alert", withdrawn: "circle-x", invalid: "circle-x" };
const known = new Map(); // address → {state, words}

export function startChips(form, { changed }) {
  for (const box of $$("[data-chips]", form)) new Field(form, box, changed);
}

/** Cut at commas, semicolons and line ends outside quotes and angle brackets. */
export function split(text) {
  return (text.match(/(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,;\n"<]|["<])+/g) ?? []).map((each) => each.trim()).filter(Boolean);
}

export function entry(text) {
  const found = /^(.*?)\s*<([^<>]*)>\s*$/.exec(text);
  if (!found) return { name: "", address: text };
  return { name: found[1].replace(/^"(.*)"$/, "$1").replace(/\\(.)/g, "$1"), address: found[2].trim() };
}

const written = ({ name, address }) =>
  !name ? address : `${/[^\w .'-]/u.test(name) && !/^[\p{L}\p{N} .'-]+$/u.test(name) ? `"${name.replace(/(["\\])/g, "\\$1")}"` : name} <${address}>`;

class Field {
  constructor(form, box, changed) {
    this.form = form;
    this.box = box;
    this.changed = changed;
    // The typed field stays the element it was; what the form sends moves to a hidden one.
    this.input = $("input", box);
    this.store = element("input", { type: "hidden", name: this.input.name });
    this.input.removeAttribute("name");
    this.input.classList.add("chip-input");
    const combobox = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${this.input.id}-list` };
    for (const [name, value] of Object.entries(combobox)) this.input.setAttribute(name, value);
    box.append(this.store);
    this.people = split(this.input.value).map(entry);
    this.picked = -1;
    this.input.value = "";
    this.remember();
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.left(), 120));
    this.input.addEventListener("paste", (event) => this.paste(event));
    box.addEventListener("click", (event) => event.target === box && this.input.focus());
    this.draw();
    this.askStates();
  }

  typed() {
    this.pick(-1);
    this.remember();
    this.changed();
    if (/[,;]$/.test(this.input.value)) this.take(this.input.value.slice(0, -1));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.suggest(), ASK_AFTER);
  }

  paste(event) {
    const text = event.clipboardData.getData("text/plain");
    if (!/[,;\n]/.test(text)) return;
    event.preventDefault();
    for (const each of split(text)) this.take(each);
  }

  left() {
    if (document.activeElement === this.input) return;
    this.closeList();
    if (this.input.value.trim()) this.take(this.input.value);
  }

  take(text) {
    const person = typeof text === "string" ? entry(text.trim()) : text;
    this.input.value = "";
    this.closeList();
    if (!person.address) return;
    this.people.push(person);
    this.commit();
    this.askStates();
  }

  remove(number) {
    this.people.splice(number, 1);
    this.pick(-1);
    this.commit();
    this.input.focus();
  }

  /** What stands half typed in the field is sent too. */
  remember() {
    this.store.dataset.addresses = this.people.map(written).join(", "); // without what is half typed
    this.store.value = [...this.people.map(written), this.input.value.trim()].filter(Boolean).join(", ");
  }

  commit() {
    this.remember();
    this.draw();
    this.changed();
  }

  draw() {
    for (const each of $$(".chip", this.box)) each.remove();
    this.people.forEach((person, number) => this.input.before(this.chip(person, number)));
  }

  chip(person, number) {
    const { state = "asking", words = "" } = known.get(person.address) ?? {};
    const shown = person.name || person.address;
    const remove = element("button", { type: "button", tabindex: "-1", "aria-label": this.form.dataset.wordsRemove.replace("{name}", shown) }, icon("x"));
    remove.addEventListener("click", () => this.remove(number));
    const chip = element("span", { class: `chip chip-${state}${this.picked === number ? " is-picked" : ""}`, title: person.address });
    chip.append(icon(ICONS[state] ?? "loader-circle", state === "asking" ? "i spin" : "i"), element("span", { class: "chip-name" }, shown));
    if (words) chip.append(element("span", { class: "chip-words" }, words));
    chip.append(remove);
    return chip;
  }

  pick(number) {
    if (this.picked === number) return;
    this.picked = number;
    this.draw();
  }

  key(event) {
    const options = this.options();
    if (event.key === "Backspace" && !this.input.value && this.people.length) {
      event.preventDefault();
      if (this.picked >= 0) this.remove(this.picked);
      else this.pick(this.people.length - 1);
    } else if ((event.key === "Enter" || event.key === "Tab") && this.active) {
      event.preventDefault();
      this.take(this.active.person);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (this.input.value.trim()) this.take(this.input.value);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      const at = options.indexOf(this.active);
      this.activate(options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length]);
    } else if (event.key === "Escape" && this.listBox) {
      event.preventDefault();
      this.closeList();
    }
  }

  async suggest() {
    const typed = this.input.value.trim();
    if (!typed) return this.closeList();
    try {
      const response = await fetch(`${this.form.dataset.suggest}?q=${encodeURIComponent(typed)}`);
      const { people } = await response.json();
      if (this.input.value.trim() === typed) this.openList(people);
    } catch {
      this.closeList(); // completion is a convenience: addresses can be typed whole
    }
    return null;
  }

  openList(people) {
    this.closeList();
    if (!people.length) return;
    this.listBox = element("div", { class: "suggestions", role: "listbox", id: `${this.input.id}-list`, "aria-label": this.input.getAttribute("aria-label") });
    people.forEach((person, number) => {
      const item = element("div", { class: "suggestion", role: "option", id: `${this.input.id}-${number}`, "aria-selected": "false" });
      item.append(person.name || person.address);
      if (person.name) item.append(element("small", {}, person.address));
      item.person = person;
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        this.take(person);
      });
      this.listBox.append(item);
    });
    this.box.parentElement.append(this.listBox);
    this.input.setAttribute("aria-expanded", "true");
    this.activate(this.listBox.firstElementChild);
  }

  options() {
    return this.listBox ? $$("[role=option]", this.listBox) : [];
  }

  activate(item) {
    for (const each of this.options()) each.setAttribute("aria-selected", each === item);
    this.active = item;
    this.input.setAttribute("aria-activedescendant", item.id);
  }

  closeList() {
    this.listBox?.remove();
    this.listBox = null;
    this.active = null;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  async askStates() {
    const unknown = this.people.map(({ address }) => address).filter((address) => !known.has(address));
    if (!unknown.length) return;
    const query = unknown.map((address) => `address=${encodeURIComponent(address)}`).join("&");
    try {
      const response = await fetch(`${this.form.dataset.recipients}?${query}`);
      const { recipients } = await response.json();
      for (const { address, state, words } of recipients) known.set(address, { state, words });
    } catch {
      for (const address of unknown) known.set(address, { state: "none", words: "" });
    }
    this.draw();
    this.changed();
  }
}
