// Finds one of many tenants: a field with suggestions.

import { el, replace } from "./dom.js";
import { folded, number } from "./words.js";

/** Suggestions at once. */
const SHOWN = 10;

export class Chooser {
  /** `choose(name)` is told of the tenant that was chosen. */
  constructor(book, choose) {
    Object.assign(this, { book, choose, found: [], active: -1 });
    this.field = el("input", {
      id: "tenant", type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: "name or title",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions",
      oninput: () => this.suggest(), onkeydown: (event) => this.key(event), onblur: () => this.close(), onfocus: () => this.field.value && this.suggest(),
    });
    this.list = el("ul", { id: "suggestions", role: "listbox", "aria-label": "Tenants", hidden: true, onpointerdown: (event) => this.press(event) });
    this.count = el("span", { class: "count", role: "status" });
    this.node = el("div", { class: "chooser" }, el("label", { for: "tenant" }, "Tenant"), el("div", { class: "combo" }, this.field, this.list), this.count);
  }

  /** Names that begin so come first, then those that contain it. */
  suggest() {
    const text = folded(this.field.value.trim());
    const { names } = this.book;
    const fits = text === "" ? [] : [...names.keys()].filter((at) => names[at].includes(text));
    const first = fits.filter((at) => names[at].startsWith(text));
    const others = first.length < SHOWN ? fits.filter((at) => !names[at].startsWith(text)) : [];
    this.found = [...first, ...others].slice(0, SHOWN);
    this.active = this.found.length > 0 ? 0 : -1;
    replace(this.list, this.found.map((at, position) => this.option(at, position)), fits.length > SHOWN && el("li", { class: "hint", role: "presentation" }, `${number(fits.length - SHOWN)} more`));
    this.list.hidden = this.found.length === 0;
    this.count.textContent = text === "" ? "" : fits.length === 0 ? "none is called so" : `${number(fits.length)} found`;
    this.point();
  }

  option(at, position) {
    const { name, title } = this.book.document.tenants[at];
    return el("li", { role: "option", id: `suggestion-${position}`, "data-position": position }, el("bdi", {}, name), title && el("small", {}, el("bdi", {}, title)));
  }

  point() {
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
    this.list.querySelectorAll("[role=option]").forEach((node, at) => node.setAttribute("aria-selected", String(at === this.active)));
    if (this.active >= 0) this.field.setAttribute("aria-activedescendant", `suggestion-${this.active}`);
    else this.field.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const last = this.found.length - 1;
    const to = { ArrowDown: this.active >= last ? 0 : this.active + 1, ArrowUp: this.active <= 0 ? last : this.active - 1 }[event.key];
    if (to !== undefined && last >= 0) {
      event.preventDefault();
      this.list.hidden = false;
      this.active = to;
      this.point();
    } else if (event.key === "Enter" && this.active >= 0) this.take(this.active);
    else if (event.key === "Escape") this.close();
  }

  press(event) {
    const option = event.target.closest("[role=option]");
    event.preventDefault();
    if (option) this.take(Number(option.dataset.position));
  }

  take(position) {
    const { name } = this.book.document.tenants[this.found[position]];
    this.close();
    this.choose(name);
  }

  close() {
    this.list.hidden = true;
    this.active = -1;
    this.point();
  }
}
