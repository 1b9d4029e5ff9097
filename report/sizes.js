// What programs weigh, and what a new device fetches before it is ready.

import { write } from "./address.js";
import { el, onward, replace, svg, table } from "./dom.js";
import { squarified } from "./treemap.js";
import { counted, number, size } from "./words.js";

/** Steps of the colour that stands for the number of tenants. */
const STEPS = 5;

export function sizes({ book, wanted, change }) {
  const isRaw = wanted.as === "raw";
  const map = el("div", { class: "map" });
  const draw = () => replace(map, drawnMap(book, wanted, map.clientWidth));
  const { programs } = book.document;
  const one = programs[book.programAt.get(wanted.program)];
  const toggle = (text, as) => el("button", { type: "button", id: `as-${text}`, "aria-pressed": String((as === "raw") === isRaw), onclick: () => change({ as }) }, text);
  return {
    node: el("div", { class: "sizes" }, el("h1", {}, "Sizes"),
      el("p", { class: "lead" }, `${counted(programs.length, "program")}, ${size(programs.reduce((sum, it) => sum + weight(it, isRaw), 0))} `, isRaw ? "unpacked." : "as devices fetch it."),
      el("div", { class: "bar" },
        el("div", { class: "switch", role: "group", "aria-label": "Sizes are" }, toggle("packed", null), toggle("raw", "raw")),
        el("nav", { class: "crumbs", "aria-label": "In the map" }, el("a", { href: write("sizes", { as: wanted.as }) }, "All programs"), one && [" › ", el("span", {}, one.title)]),
        scale(book)),
      map,
      one ? files(one, isRaw) : versionList(book, wanted, isRaw),
      firstStart(book)),
    settled: draw,
    resized: draw,
  };
}

const weight = ({ versions }, isRaw) => versions.reduce((sum, it) => sum + measure(it, isRaw), 0);
const measure = ({ length, unpacked }, isRaw) => (isRaw ? unpacked : length);
const step = (count, all) => (count === 0 ? 0 : Math.max(1, Math.ceil((STEPS * count) / Math.max(1, all))));

function scale({ document }) {
  const swatch = (at) => svg("svg", { class: "swatch", viewBox: "0 0 16 12", "aria-hidden": "true" }, svg("rect", { class: `t${at}`, width: 16, height: 12 }));
  return el("p", { class: "scale" }, "0 tenants ", Array.from({ length: STEPS + 1 }, (_, at) => swatch(at)), ` ${number(document.tenants.length)}`);
}

/** Program, version, file; only what is large enough to be seen. */
function drawnMap(book, wanted, width) {
  const isRaw = wanted.as === "raw";
  const { programs, tenants } = book.document;
  const height = Math.round(Math.min(560, Math.max(280, width * 0.5)));
  const shown = programs.filter((it) => !book.programAt.has(wanted.program) || it.app_id === wanted.program);
  const items = shown.map((it) => ({ it, value: weight(it, isRaw) })).sort((a, b) => b.value - a.value);
  const drawing = svg("svg", { class: "treemap", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
  for (const box of squarified(items, { x: 0, y: 0, width, height })) drawing.append(programBox(box, isRaw, tenants.length, wanted));
  return drawing;
}

function programBox({ item: { it }, x, y, width, height }, isRaw, tenants, wanted) {
  const group = svg("a", { href: write("sizes", { program: it.app_id, as: wanted.as }), tabindex: "-1" });
  const hasHead = height > 40 && width > 48;
  const inner = { x: x + 2, y: y + (hasHead ? 20 : 2), width: Math.max(0, width - 4), height: Math.max(0, height - (hasHead ? 22 : 4)) };
  group.append(svg("rect", { class: "program", x: x + 0.5, y: y + 0.5, width: Math.max(0, width - 1), height: Math.max(0, height - 1) }));
  const versions = it.versions.map((version) => ({ version, value: measure(version, isRaw) })).sort((a, b) => b.value - a.value);
  for (const box of squarified(versions, inner)) group.append(versionBox(box, isRaw, tenants, it));
  if (hasHead) group.append(svg("text", { class: "name", x: x + 6, y: y + 14 }, clippedTo(`${it.title}  ${size(weight(it, isRaw))}`, width - 12)));
  return group;
}

function versionBox({ item: { version }, x, y, width, height }, isRaw, tenants, program) {
  const group = svg("g", {});
  const title = svg("title", {}, `${program.title} ${version.version}: ${size(measure(version, isRaw))}, ${counted(version.tenants, "tenant")}`);
  group.append(title, svg("rect", { class: `version t${step(version.tenants, tenants)}`, x: x + 0.5, y: y + 0.5, width: Math.max(0, width - 1), height: Math.max(0, height - 1) }));
  const hasHead = height > 34 && width > 40;
  if (hasHead) group.append(svg("text", { class: "version-name", x: x + 5, y: y + 13 }, clippedTo(version.version, width - 10)));
  const room = { x: x + 2, y: y + (hasHead ? 18 : 2), width: Math.max(0, width - 4), height: Math.max(0, height - (hasHead ? 20 : 4)) };
  if (room.width * room.height > 2500) group.append(...fileBoxes(version, room, isRaw));
  return group;
}

function fileBoxes({ files: list, more }, room, isRaw) {
  const all = [...list.map((it) => ({ path: it.path, value: isRaw ? it.bytes : it.packed }))];
  if (more) all.push({ path: counted(more.files, "more file"), value: isRaw ? more.bytes : more.packed });
  all.sort((a, b) => b.value - a.value);
  return squarified(all, room).filter(({ width, height }) => width > 3 && height > 3).map(({ item, x, y, width, height }) => svg("g", {},
    svg("rect", { class: "file", x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1 }),
    width > 44 && height > 16 && svg("text", { class: "file-name", x: x + 4, y: y + 13 }, clippedTo(item.path.split("/").pop(), width - 8)),
    svg("title", {}, `${item.path}: ${size(item.value)}`)));
}

/** As much of a text as has room, by the width of the small letters of the map. */
function clippedTo(text, width) {
  const most = Math.floor(width / 6.4);
  return text.length <= most ? text : most < 3 ? "" : `${text.slice(0, most - 1)}…`;
}

/** The same as a table. */
function versionList(book, wanted, isRaw) {
  const rows = book.document.programs.flatMap((program) => program.versions.map((version) => ({ program, version })));
  rows.sort((a, b) => measure(b.version, isRaw) - measure(a.version, isRaw));
  const box = el("div", {});
  const show = (most) => replace(box,
    table("Versions of all programs", ["Program", "Version", "Channel", "Review", "#Tenants", "#Packed", "#Raw", "#Files"], rows.slice(0, most).map(({ program, version }) => [
      el("a", { href: write("sizes", { program: program.app_id, as: wanted.as }) }, program.title),
      [version.version, version.revoked && el("strong", { class: "trouble" }, " ▲ revoked")],
      version.channel, version.review, number(version.tenants), size(version.length), size(version.unpacked),
      number(version.files.length + (version.more?.files ?? 0)),
    ])),
    rows.length > most && el("button", { type: "button", class: "button", onclick: () => (show(Infinity), onward([...box.querySelectorAll("tbody tr")].slice(most))) }, `${number(rows.length - most)} more`));
  show(60);
  return [el("h2", {}, "Versions"), box];
}

function files({ title, app_id, owner, versions }, isRaw) {
  return versions.map((version) => [
    el("h2", {}, `${title} ${version.version}`, " ", el("small", {}, `${size(measure(version, isRaw))}, ${counted(version.tenants, "tenant")}`)),
    el("p", { class: "hint" }, el("code", {}, app_id), owner && `, owner ${owner}`, `, channel ${version.channel}, review ${version.review}`, version.revoked && el("strong", { class: "trouble" }, " ▲ revoked")),
    table(`Files of ${title} ${version.version}`, ["File", "#Packed", "#Raw"], [
      ...version.files.map((it) => [el("code", {}, it.path), size(it.packed), size(it.bytes)]),
      ...(version.more ? [[counted(version.more.files, "more file"), size(version.more.packed), size(version.more.bytes)]] : []),
    ]),
  ]);
}

/** Bytes that a new device fetches before it is ready. */
function firstStart({ document }) {
  const { first_start: it, tenants } = document;
  if (!it) return null;
  const largest = tenants.filter(({ first_start: bytes }) => bytes !== null).sort((a, b) => b.first_start - a.first_start).slice(0, 10);
  const isOver = (bytes) => it.budget !== null && bytes > it.budget;
  return [
    el("h2", {}, "First start"),
    el("p", {}, "What a new device fetches before it is ready, with the worst shell: median ", el("strong", {}, size(it.median)), ", worst ", el("strong", {}, size(it.worst)), it.budget === null ? ". No budget is set." : `, budget ${size(it.budget)}.`),
    table("The tenants with the largest first start", ["Tenant", "#Bytes", ...(it.budget === null ? [] : ["Of the budget"])], largest.map((tenant) => [
      el("a", { href: write("why", { tenant: tenant.name }) }, el("bdi", {}, tenant.name)),
      size(tenant.first_start),
      ...(it.budget === null ? [] : [[`${Math.round((100 * tenant.first_start) / it.budget)} %`, isOver(tenant.first_start) && el("strong", { class: "trouble" }, " ▲ over")]]),
    ])),
  ];
}
