// Why a cell is as it is, beside the matrix.

import { button, el, replace } from "./dom.js";
import { sign, told } from "./reasons.js";
import { write } from "./address.js";

export class Panel {
  /** `close()` is told when a person is done with it. */
  constructor(node, close) {
    Object.assign(this, { node, close });
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.isOpen && close());
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** `members`: the tenants of the class for which this one stands. `choose(tenant)` asks for another of them. */
  show(book, tenant, program, members, choose) {
    const decision = book.told(tenant, program);
    const { name, title } = decision.tenant;
    this.open(`${decision.program.title} for ${name}`, [
      el("p", { class: "verdict" }, sign(decision.state, { isNamed: false }), " ", decision.version && [el("span", { class: "version" }, decision.version), " "], decision.state.text),
      el("dl", { class: "facts-of" },
        el("dt", {}, "Program"), el("dd", {}, el("code", {}, decision.program.app_id)),
        el("dt", {}, "Tenant"), el("dd", {}, el("a", { href: write("why", { tenant: name }) }, el("bdi", {}, title ?? name)), `, plan ${book.plan(decision.tenant)}`)),
      told(decision),
      members.length > 1 && this.others(book, tenant, members, choose),
    ]);
  }

  /** A link that leads nowhere. */
  missing(what) {
    this.open("Not in this report", [el("p", {}, "There is no ", el("code", {}, what), " here.")]);
  }

  open(title, body) {
    const heading = el("h2", { id: "panel-title", tabindex: "-1" }, title);
    replace(this.node, el("header", {}, heading, button("×", () => this.close(), { class: "close", "aria-label": "Close" })), body);
    this.node.hidden = false;
    document.body.classList.add("has-panel");
  }

  hide() {
    this.node.hidden = true;
    document.body.classList.remove("has-panel");
  }

  focus() {
    this.node.querySelector("h2").focus();
  }

  /** Reasons may differ from one to the next, though what they lead to is the same. */
  others(book, tenant, members, choose) {
    const shown = members.slice(0, 500);
    if (!shown.includes(tenant)) shown.unshift(tenant);
    const option = (at) => el("option", { value: at, selected: at === tenant }, book.document.tenants[at].name);
    const field = el("select", { id: "panel-tenant", onchange: () => choose(Number(field.value)) }, shown.map(option));
    return el("div", { class: "others" },
      el("label", { for: "panel-tenant" }, `One of ${members.length} tenants of this class. Reasons of another:`), field);
  }
}
