// What changes by itself, and when: a drawing, and the same as a list.

import { entry, failing, weightSign } from "./changes.js";
import { el, sparing, svg, when } from "./dom.js";
import { plain } from "./reasons.js";
import { counted, date, daysBetween } from "./words.js";

const DAY_LONG = 86_400_000;

/** What lies within so many days is what support is asked about. */
const SOON = 7;

/** Rows of the drawing that are shown before a person asks for more. */
const LANES = 40;

export function timeline({ book }) {
  const { summary, last } = book.document.timeline;
  const from = book.now();
  const all = course(book);
  const soon = soonest(book);
  const drawing = el("div", { class: "drawing wide", tabindex: "0", role: "region", "aria-label": "Drawing; the list below says the same" });
  const draw = () => drawing.replaceChildren(drawn(book, Math.max(drawing.clientWidth, 720)));
  return {
    node: el("div", { class: "timeline" }, el("h1", {}, "Timeline"),
      el("p", { class: "lead" }, summary.text),
      drawing,
      section("In the next seven days", soon, from, "Nothing changes by itself."),
      section(`After that, until ${last.slice(0, 10)}`, all.slice(soon.length), from, "Nothing.")),
    settled: draw,
    resized: draw,
  };
}

/** Everything that has a date, in order: moments at which tenants change, and marks. */
export function course({ document }) {
  return [...document.timeline.moments, ...document.marks].sort((one, other) => new Date(one.at) - new Date(other.at));
}

/** What of it comes soon. */
export function soonest(book) {
  const from = book.now();
  return course(book).filter((it) => daysBetween(from, it.at) < SOON);
}

/** One instant in one line. */
export function instant({ kind, text, classes, failing: broken }) {
  if (kind) return [markSign(kind), " ", plain(text)];
  const kinds = new Map();
  classes.forEach(({ weight, count }) => kinds.set(weight, (kinds.get(weight) ?? 0) + count));
  const parts = [...kinds].map(([weight, count]) => `${weightSign(weight)} ${weight}: ${counted(count, "tenant")}`);
  if (broken.length > 0) parts.push(`▲ ${counted(broken.length, "tenant")} can no longer be compiled`);
  return parts.join(", ");
}

function section(title, moments, from, none) {
  return el("section", {}, el("h2", {}, title, " ", el("small", {}, counted(moments.length, "instant"))),
    moments.length === 0 && el("p", {}, none),
    sparing(moments, 30, (it, at) => el("section", { class: "moment" },
      it.at !== moments[at - 1]?.at && el("h3", { class: "instant", id: `at-${it.at}` }, when(it.at, from)),
      it.kind ? el("p", { class: "mark" }, el("span", { class: "sign", "aria-hidden": "true" }, markSign(it.kind)), " ", plain(it.text)) : [sparing(it.classes, 12, entry), failing(it.failing)])));
}

const markSign = (kind) => ({ freeze_begins: "■", freeze_ends: "□" }[kind] ?? "◆");

/** What stands in one row: a program, all that is no program's, or the publication. */
function lanes(book) {
  const found = new Map();
  const put = (key, at, mark) => {
    if (!found.has(key)) found.set(key, new Map());
    const marks = found.get(key);
    marks.set(at, [...(marks.get(at) ?? []), mark]);
  };
  book.document.marks.forEach(({ at, kind, text }) => put("", at, { sign: markSign(kind), weight: "mark", text }));
  book.document.timeline.moments.forEach(({ at, classes }) => classes.forEach(({ weight, count, changes }) => {
    const programs = new Set(changes.flatMap((it) => (it.app_id ? [it.app_id] : it.app_ids ?? ["-"])));
    programs.forEach((program) => put(program, at, { sign: weightSign(weight), weight, text: `${weight}: ${counted(count, "tenant")}` }));
  }));
  const place = (key) => (key === "" ? -1 : book.programAt.get(key) ?? Infinity);
  return [...found].sort(([one], [other]) => place(one) - place(other));
}

function drawn(book, width) {
  const [first, last] = [book.document.timeline.first, book.document.timeline.last].map((at) => new Date(at).getTime());
  const names = lanes(book);
  const shown = names.slice(0, LANES);
  const [label, row, top] = [156, 24, 30];
  const height = top + Math.max(1, shown.length) * row + 8;
  const x = (at) => label + ((new Date(at) - first) / (last - first)) * (width - label - 16);
  const days = Array.from({ length: Math.floor((last - first) / DAY_LONG) + 1 }, (_, at) => new Date(Math.ceil(first / DAY_LONG) * DAY_LONG + at * DAY_LONG)).filter((day) => day.getTime() <= last);
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true", class: "course" },
    svg("rect", { class: "soon", x: label, y: top - 6, width: Math.max(0, x(Math.min(last, first + SOON * DAY_LONG)) - label), height: height - top }),
    days.filter((day) => day.getUTCDay() === 1 || day.getUTCDate() === 1).map((day) => svg("line", { class: day.getUTCDate() === 1 ? "month" : "week", x1: x(day), x2: x(day), y1: top - 6, y2: height - 6 })),
    days.filter((day) => day.getUTCDate() === 1).filter((day) => x(day) > label + 40).map((day) => svg("text", { class: "axis", x: x(day) + 4, y: 14 }, day.toISOString().slice(0, 7))),
    svg("text", { class: "axis", x: label, y: 14 }, "today"),
    shown.map(([key, marks], at) => lane(book, key, marks, top + at * row + row / 2, x)));
  if (names.length <= LANES) return drawing;
  const box = el("div", {}, drawing, el("p", { class: "hint" }, `${counted(names.length - LANES, "program")} more change: they are in the list.`));
  return box;
}

function lane(book, key, marks, y, x) {
  const program = book.document.programs[book.programAt.get(key)];
  const name = key === "" ? "Publication" : program?.title ?? (key === "-" ? "Tenants" : key);
  const short = name.length > 22 ? `${name.slice(0, 21)}…` : name;
  return svg("g", {},
    svg("text", { class: "lane", x: 0, y: y + 4 }, short),
    [...marks].map(([at, list]) => svg("a", { href: `#timeline?at=${at}`, tabindex: "-1" },
      svg("circle", { class: `dot w-${list[0].weight}`, cx: x(at), cy: y, r: 9 }),
      svg("text", { class: `glyph w-${list[0].weight}`, x: x(at), y: y + 4 }, list[0].sign),
      svg("title", {}, `${date(at)}, ${name}: ${list.map((it) => it.text).join("; ")}`))));
}
