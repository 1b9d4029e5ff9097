// How things stand: each number opens its list.

import { write } from "./address.js";
import { el, when } from "./dom.js";
import { plain } from "./reasons.js";
import { course, instant, soonest } from "./timeline.js";
import { left, warning, weakest } from "./trust.js";
import { counted, number, size } from "./words.js";

export function now({ book }) {
  const { document } = book;
  return {
    node: el("div", { class: "now" },
      el("h1", {}, "Now"),
      el("ul", { class: "numbers" }, numbers(document.summary).map(([count, noun, href]) => el("li", {}, el("a", { href }, el("strong", {}, number(count)), " ", noun)))),
      el("div", { class: "cards" }, publication(book), ahead(book), keys(book), stores(document.stores), change(document.impact), start(document))),
  };
}

function numbers(summary) {
  const tenants = (status) => write("why", { status });
  return [
    [summary.active, "active tenants", tenants("active")],
    [summary.suspended, "suspended", tenants("suspended")],
    [summary.inactive, "inactive", tenants("inactive")],
    [summary.classes, "classes", write("matrix")],
    [summary.programs, "programs", write("sizes")],
    [summary.versions, "versions", write("sizes")],
    [summary.entitlements, "entitlements", write("matrix", { state: "on" })],
  ].filter(([count, noun]) => count > 0 || noun === "active tenants");
}

const card = (title, href, ...body) => el("section", { class: "card" }, el("h2", {}, href ? el("a", { href }, title) : title), body);
const pair = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

function publication(book) {
  const it = book.document.publication;
  if (!it) return card("Publication", null, el("p", {}, "Nothing is compiled: ", el("code", {}, "tenantry compile"), " makes a publication."));
  const isOver = new Date(it.freshness_until) <= book.now();
  const end = (at) => when(at, book.now(), at.slice(0, 10));
  return card(`Publication ${it.publication}`, write("store"),
    el("p", { class: it.is_current ? "well" : "trouble" }, it.is_current
      ? "✓ It is what these inputs say."
      : "▲ The inputs have changed since it was compiled: what customers see is not what is shown here."),
    el("dl", { class: "pairs" },
      pair(isOver ? "Freshness ended" : "Fresh until", end(it.freshness_until), isOver && el("strong", { class: "trouble" }, " Shells get no news.")),
      pair("Signed until", end(it.signed_until)),
      pair("Environment", it.environment),
      pair("Content", `${counted(it.tenants, "tenant")}, ${counted(it.objects, "object")}, ${size(it.bytes)}`),
      pair("Commit", it.commit ? el("code", {}, it.commit.slice(0, 12)) : "a working directory")));
}

function ahead(book) {
  const soon = soonest(book);
  const later = course(book).slice(soon.length);
  const line = (it) => el("li", {}, el("time", { datetime: it.at, title: it.at }, it.at.slice(0, 10)), " ", instant(it));
  return card("Next seven days", write("timeline"),
    soon.length === 0 && el("p", {}, "Nothing changes by itself."),
    el("ul", { class: "plain" }, soon.slice(0, 6).map(line)),
    soon.length > 6 && el("p", { class: "hint" }, `And ${counted(soon.length - 6, "instant")} more.`),
    later.length > 0 && [el("h3", {}, "Later"), el("ul", { class: "plain" }, later.slice(0, 3).map(line))],
    later.length > 3 && el("p", { class: "hint" }, `And ${counted(later.length - 3, "instant")} more until ${book.document.timeline.last.slice(0, 10)}.`));
}

function keys(book) {
  const { trust } = book.document;
  if (!trust) return card("Keys", write("trust"), el("p", {}, "There is no root yet: ", el("code", {}, "tenantry keys init"), " makes one."));
  const weak = weakest(book);
  return card("Keys", write("trust"),
    weak.map((it) => el("p", { class: "trouble" }, warning(it))),
    el("dl", { class: "pairs" }, trust.roles.map((it) => pair(it.role, left(book, it)))));
}

function stores(list) {
  if (list.length === 0) return card("Stores", write("store"), el("p", {}, "None was asked: ", el("code", {}, "tenantry report --store all")));
  return card("Stores", write("store"), el("dl", { class: "pairs" }, list.map(({ store, error, log }) => {
    const current = log?.publications.find((it) => it.is_current);
    return pair(store, error ? el("span", { class: "trouble" }, "▲ ", plain(error)) : current ? `publication ${current.publication}` : "nothing published");
  })));
}

function change(impact) {
  return card("Impact", write("impact"), impact
    ? el("p", {}, impact.summary.text)
    : el("p", {}, "No change was given: ", el("code", {}, "tenantry report --base main")));
}

function start({ first_start: it, tenants }) {
  if (!it) return null;
  const { name } = tenants[it.worst_tenant];
  const isOver = it.budget !== null && it.worst > it.budget;
  return card("First start", write("sizes"),
    isOver && el("p", { class: "trouble" }, "▲ The worst is over the budget."),
    el("dl", { class: "pairs" },
      pair("Median", size(it.median)),
      pair("Worst", size(it.worst), " ", el("a", { href: write("why", { tenant: name }) }, el("bdi", {}, name))),
      pair("Budget", it.budget === null ? "none" : size(it.budget))));
}
