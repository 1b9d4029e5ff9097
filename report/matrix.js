// Classes of tenants by programs, with the reasons behind each cell.

import { button, el, replace } from "./dom.js";
import { Filters } from "./filters.js";
import { narrowed } from "./narrow.js";
import { sign } from "./reasons.js";
import { Sheet } from "./sheet.js";
import { counted, number } from "./words.js";

/** Classes on a page. */
const PAGE = 40;

export function matrix({ book, wanted, change, panel, memory }) {
  const filters = new Filters(book, ["tenant", "program", "plan", "profile", "region", "level", "status"], change);
  const legend = el("div", { class: "legend", role: "group", "aria-label": "Only with" });
  const count = el("p", { class: "count", id: "found", role: "status" });
  const pages = el("nav", { class: "pages", "aria-label": "Pages" });
  const sheet = new Sheet(book, choose);
  sheet.opened = memory.opened ??= new Map();
  let [shown, drawn] = [null, ""];

  function choose(tenant, program, members, how) {
    const { name } = book.document.tenants[tenant];
    change({ cell: `${name}/${book.document.programs[program].app_id}` });
    if (how === "key") panel.focus();
  }

  /** Finds what is wanted, and draws it if it is not drawn already. */
  function show(now) {
    wanted = now;
    const { cell, page, ...filter } = wanted;
    const key = JSON.stringify(filter);
    if (key !== drawn || !shown) {
      [shown, drawn] = [narrowed(book, filter), key];
      replace(legend, states(book, wanted, change));
      replace(count, found(book, shown));
      sheet.at = null;
    }
    filters.show(wanted);
    const [tenant, program] = cell ? located(book, cell) : [];
    const last = Math.max(1, Math.ceil(shown.classes.length / PAGE));
    const of = shown.classes.findIndex((it) => it.at === book.document.tenants[tenant]?.class);
    const at = page ? Math.min(Math.max(1, Number(page) || 1), last) : sheet.at ?? (of < 0 ? 1 : Math.floor(of / PAGE) + 1);
    if (sheet.at !== at) {
      const first = (at - 1) * PAGE;
      sheet.draw({ classes: shown.classes.slice(first, first + PAGE), programs: shown.programs, first, total: shown.classes.length });
      sheet.at = at;
      replace(pages, last > 1 && pager(at, last, shown.classes.length, change));
    }
    reasons(cell, tenant, program);
  }

  function reasons(cell, tenant, program) {
    if (!cell) {
      sheet.selected = null;
      sheet.mark();
      panel.hide();
    } else if (tenant === undefined || program === undefined) {
      panel.missing(cell);
    } else {
      const members = book.document.classes[book.document.tenants[tenant].class].tenants;
      sheet.select(tenant, program);
      panel.show(book, tenant, program, members, (other) => choose(other, program));
    }
  }

  const node = el("div", { class: "matrix" },
    el("h1", {}, "Matrix"), filters.node, legend,
    el("div", { class: "bar" }, count, pages),
    sheet.node);
  show(wanted);
  return { node, show, settled: () => sheet.reveal(), left: () => sheet.focus(), where: () => sheet.where(), goTo: (place) => sheet.goTo(place), printed: () => sheet.widen(), isFull: true };
}

/** `acme/com.example.chat` as positions, of which one is undefined where there is no such thing. */
function located(book, cell) {
  const cut = cell.lastIndexOf("/");
  return [book.tenantAt.get(cell.slice(0, cut)), book.programAt.get(cell.slice(cut + 1))];
}

/** The legend, in which each sign can be asked for. */
function states({ document }, wanted, change) {
  return document.legend.map((it) => {
    const isWanted = wanted.state === it.state;
    return el("button", { type: "button", id: `state-${it.state}`, "aria-pressed": String(isWanted), onclick: () => change({ state: isWanted ? null : it.state, page: null }) },
      sign(it, { isNamed: false }), " ", it.text);
  });
}

function found({ document }, { classes, programs }) {
  const tenants = classes.reduce((sum, it) => sum + it.tenants.length, 0);
  const part = (some, all, noun) => (some === all ? counted(all, noun) : `${number(some)} of ${counted(all, noun)}`);
  return `${part(tenants, document.tenants.length, "tenant")} in ${part(classes.length, document.classes.length, "class")}, ${part(programs.length, document.programs.length, "program")}`;
}

function pager(at, last, total, change) {
  const turn = (text, page, label) => button(text, () => change({ page }), { id: `page-${label}`, "aria-label": `${label} page`, disabled: page < 1 || page > last });
  return [
    turn("‹", at - 1, "Previous"),
    el("span", {}, `Classes ${number((at - 1) * PAGE + 1)} to ${number(Math.min(at * PAGE, total))} of ${number(total)}`),
    turn("›", at + 1, "Next"),
  ];
}
