// What each store shows, what it keeps, and what could go.

import { el, sparing, table } from "./dom.js";
import { plain } from "./reasons.js";
import { counted, date, number, size } from "./words.js";

export function store({ book }) {
  const { stores: list } = book.document;
  return {
    node: el("div", {}, el("h1", {}, "Store"),
      list.length === 0 && el("p", { class: "lead" }, "No store was asked: ", el("code", {}, "tenantry report --store all"), " asks those that the project names."),
      list.map(({ store: name, place, error, log, gc }) => el("section", { class: "store" },
        el("h2", {}, plain(place.startsWith(name) ? place : `${name}, ${place}`)),
        error && el("p", { class: "trouble" }, "▲ ", plain(error)),
        log && publications(name, log),
        gc && collection(name, gc)))),
  };
}

function publications(name, { publications: list, earlier }) {
  if (list.length === 0) return el("p", {}, "Nothing was published here.");
  return [
    el("h3", {}, "Publications"),
    table(`Publications of ${name}`, ["Number", "When", "What", "By", "Commit", "Reason"], list.map((it) => [
      it.publication,
      el("time", { datetime: it.at }, date(it.at)),
      [it.kind, it.is_current && el("strong", {}, " current"), it.is_finished === false && el("strong", { class: "trouble" }, " ▲ not finished")],
      it.by,
      it.commit ? el("code", {}, it.commit.slice(0, 12)) : "",
      [it.reason ?? "", it.overrides.map(({ guard, number: found, limit }) => el("div", { class: "hint" }, `guard ${guard} overridden: ${found} where ${limit} may`))],
    ])),
    earlier > 0 && el("p", { class: "hint" }, `${counted(earlier, "publication")} before these.`),
  ];
}

/** What `gc` would take, and why it keeps the rest. */
function collection(name, it) {
  const garbage = it.garbage.reduce((sum, { bytes }) => sum + bytes, 0);
  const needs = it.needed.map((need) => [needOf(need), need.objects, need.bytes]);
  const rows = [
    ...needs,
    ["waiting for the end of its grace", it.waiting.objects, it.waiting.bytes],
    ["foreign, never touched", it.foreign.objects, it.foreign.bytes],
    ["would go", it.garbage.length, garbage],
  ].filter(([text, objects]) => objects > 0 || text === "would go");
  const earlier = it.retained.filter(({ why }) => why !== "current");
  const all = rows.reduce((sum, [, , bytes]) => sum + bytes, 0);
  return [
    el("h3", {}, "What is kept, and what could go"),
    it.is_unfinished && el("p", { class: "trouble" }, "▲ The current publication is not finished: gc would finish it first."),
    it.at_work && el("p", {}, el("code", {}, it.at_work), " is at work on it."),
    table(`Objects of ${name}, by what needs them`, ["Why", "#Objects", "#Bytes", "Share"], rows.map(([text, objects, bytes]) => [text, number(objects), size(bytes), share(bytes, all)])),
    it.next && el("p", { class: "hint" }, `The first that waits may go at ${date(it.next)}.`),
    earlier.length > 0 && el("p", { class: "hint" }, "To go back to: ", earlier.map(({ publication, why }) => `${publication} (${why === "few" ? "among the last" : why})`).join(", "), "."),
    it.garbage.length > 0 && el("details", {}, el("summary", {}, `${counted(it.garbage.length, "object")} that would go`),
      el("ul", { class: "plain" }, sparing(it.garbage, 50, ({ key, bytes, since }) => el("li", {}, el("code", {}, key), ` ${size(bytes)}, unreferenced since ${date(since)}`)))),
  ];
}

function needOf({ by, publication }) {
  return { current: "needed by the current publication", publication: `kept for going back to publication ${publication}`, reservation: "kept for somebody who is publishing", records: "the store's own records" }[by] ?? by;
}

function share(part, whole) {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  const bar = el("span", { class: "fill" });
  bar.style.setProperty("inline-size", `${percent}%`);
  return el("span", { class: "share" }, el("span", { class: "track", "aria-hidden": "true" }, bar), ` ${percent.toFixed(percent === 0 || percent === 100 ? 0 : 1)} %`);
}
