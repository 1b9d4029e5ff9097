// Fields that narrow a list: what a person types and chooses goes into the address at once.

import { button, el } from "./dom.js";
import { WITHOUT } from "./narrow.js";

export class Filters {
  /** `names`: which fields, of `FIELDS`. `change` takes what is wanted now. */
  constructor(book, names, change) {
    this.fields = names.map((name) => ({ name, node: field(book, name, (value) => change({ [name]: value || null, page: null })) })).filter((it) => it.node);
    const clear = Object.fromEntries(names.map((name) => [name, null]));
    const empty = () => {
      change({ ...clear, state: null, page: null });
      this.fields[0].node.querySelector("input, select").focus();
    };
    this.clear = button("Clear", empty, { id: "clear", class: "button quiet" });
    this.node = el("div", { class: "filters", role: "search" }, this.fields.map((it) => it.node), this.clear);
  }

  /** Shows what is wanted; a field in which somebody is typing is let be. */
  show(wanted) {
    for (const { name, node } of this.fields) {
      const input = node.querySelector("input, select");
      const value = wanted[name] ?? "";
      if (input.value.trim() !== value.trim()) input.value = value;
      node.classList.toggle("is-used", value !== "");
    }
    this.clear.hidden = !this.fields.some(({ name }) => wanted[name]) && !wanted.state;
  }
}

function field(book, name, change) {
  const { document } = book;
  const chosen = {
    plan: () => document.plans.map((it) => [it, it]),
    profile: () => [...document.profiles.map((it) => [it, it]), [WITHOUT, "without"]],
    region: () => [...document.regions.map((it) => [it, it]), [WITHOUT, "without"]],
    level: () => levels(book).map((it) => [it, `shells ${it}`]),
    status: () => ["active", "suspended", "inactive"].map((it) => [it, it]),
  }[name];
  const id = `filter-${name}`;
  const label = (input) => el("label", { for: id }, el("span", {}, name), input);
  if (!chosen) return label(el("input", { id, type: "search", autocomplete: "off", spellcheck: "false", placeholder: "name or title", oninput: (event) => change(event.target.value.trim()) }));
  const options = chosen();
  if (options.length < 2) return null;
  return label(el("select", { id, onchange: (event) => change(event.target.value) }, el("option", { value: "" }, "all"), options.map(([value, text]) => el("option", { value }, text))));
}

function levels({ document }) {
  const all = new Set();
  document.tenants.forEach((it) => it.levels.forEach((level) => all.add(level)));
  return [...all].sort((one, other) => one - other);
}
