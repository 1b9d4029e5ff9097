// Everything of one tenant, and why.

import { write } from "./address.js";
import { Chooser } from "./chooser.js";
import { copied, markdown } from "./copy.js";
import { button, el, onward, replace, table } from "./dom.js";
import { Filters } from "./filters.js";
import { fitting } from "./narrow.js";
import { sign, told } from "./reasons.js";
import { counted, number, size } from "./words.js";

/** Rows of the list of tenants, and with every further press. */
const ROWS = 100;

export function why(desk) {
  const { book, wanted } = desk;
  const chooser = new Chooser(book, (name) => desk.open(write("why", { tenant: name })));
  const body = wanted.tenant === undefined ? everybody(desk) : tree(book, wanted.tenant);
  return { node: el("div", { class: "why" }, el("h1", {}, "Why"), chooser.node, body.node), show: body.show };
}

/** All tenants. */
function everybody({ book, wanted, change }) {
  const filters = new Filters(book, ["plan", "profile", "region", "status"], change);
  const count = el("p", { class: "count", role: "status" });
  const box = el("div", {});
  const show = (now) => {
    filters.show(now);
    const found = fitting(book, now);
    replace(count, found.length === book.document.tenants.length ? counted(found.length, "tenant") : `${number(found.length)} of ${counted(book.document.tenants.length, "tenant")}`);
    more(found, ROWS);
  };
  const columns = ["Tenant", "Title", "Status", "Plan", "Profile", "Region", ...(book.document.first_start ? ["#First start"] : [])];
  const more = (found, most) => replace(box,
    table("Tenants", columns, found.slice(0, most).map((at) => row(book, book.document.tenants[at]))),
    found.length > most && button(`${number(Math.min(ROWS, found.length - most))} more of ${number(found.length - most)}`, () => {
      more(found, most + ROWS);
      onward([...box.querySelectorAll("tbody tr")].slice(most));
    }));
  show(wanted);
  return { node: el("div", {}, filters.node, count, box), show };
}

function row(book, it) {
  return [
    el("a", { href: write("why", { tenant: it.name }) }, el("bdi", {}, it.name)), el("bdi", {}, it.title ?? ""), it.status,
    book.plan(it), book.profile(it) ?? "", book.region(it) ?? "",
    ...(book.document.first_start ? [it.first_start === null ? "" : size(it.first_start)] : []),
  ];
}

/** One tenant: its programs by state, each with its reasons. */
function tree(book, name) {
  const at = book.tenantAt.get(name);
  if (at === undefined) return { node: el("p", { class: "lead" }, "There is no tenant ", el("code", {}, name), " in this report.") };
  const tenant = book.document.tenants[at];
  const decisions = book.document.programs.map((_, program) => book.told(at, program));
  const said = el("span", { role: "status", class: "said" });
  const copy = async () => {
    const worked = await copied(markdown(book, tenant, decisions.filter((it) => it.state.state !== "none")));
    replace(said, worked ? "Copied." : "This browser lets no page copy.");
  };
  const states = book.document.legend.map((state) => ({ state, list: decisions.filter((it) => it.state === state) })).filter(({ list: some }) => some.length > 0);
  return {
    node: el("div", {},
      el("header", { class: "of" },
        el("h2", {}, el("bdi", {}, tenant.title ?? tenant.name)),
        el("p", { class: "actions" }, button("Copy as Markdown", copy, { id: "copy" }), said)),
      el("dl", { class: "traits" }, about(book, tenant).map(([key, value]) => el("div", {}, el("dt", {}, key), el("dd", {}, value)))),
      states.map((it) => branch(it))),
  };
}

function about(book, it) {
  return [
    ["Name", el("code", {}, it.name)],
    ["Status", it.status === "active" ? it.status : el("strong", { class: "trouble" }, `▲ ${it.status}`)],
    ["Plan", el("a", { href: write("matrix", { plan: book.plan(it) }) }, book.plan(it))],
    ["Profile", book.profile(it) ?? "none"],
    ["Region", book.region(it) ?? "none"],
    ["Shells", it.levels.join(", ")],
    ["File", el("code", {}, it.file)],
    it.first_start !== null && ["First start", size(it.first_start)],
  ].filter(Boolean);
}

/** Programs of one state. What nobody granted is many, and seldom the question. */
function branch({ state, list: some }) {
  const items = () => el("ul", { class: "tree" }, some.map(leaf));
  const head = [sign(state, { isNamed: false }), " ", state.text, " ", el("small", {}, number(some.length))];
  if (state.state !== "none") return el("section", { class: "branch" }, el("h3", {}, head), items());
  const box = el("details", { class: "branch", ontoggle: () => box.children.length === 1 && box.append(items()) }, el("summary", {}, el("h3", {}, head)));
  return box;
}

function leaf(it) {
  return el("li", { class: "leaf", "data-program": it.program.app_id },
    el("p", {}, sign(it.state), " ", el("a", { class: "title", href: write("matrix", { cell: `${it.tenant.name}/${it.program.app_id}` }) }, it.program.title), it.version && [" ", el("span", { class: "version" }, it.version)], " ", el("code", { class: "id" }, it.program.app_id)),
    told(it));
}
