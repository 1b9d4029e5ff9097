// What happens to tenants, as `tenantry plan` and `tenantry simulate` tell it: one entry for each class.

import { write } from "./address.js";
import { el, sparing, table } from "./dom.js";
import { plain } from "./reasons.js";
import { counted, date, spaced } from "./words.js";

/** Signs of weights, as on a terminal. The order is that of the document: worst first. */
export function weightSign(weight) {
  return { loss: "−", held: "▲", growth: "!", gain: "+", update: "↻", other: "·" }[weight] ?? "·";
}

/** Names that are shown before a person asks for more. */
const NAMED = 12;

/** A class: who, what, why. */
export function entry(it) {
  return el("article", { class: `change w-${it.weight}` },
    el("h3", {}, el("span", { class: "weight" }, el("span", { "aria-hidden": "true" }, weightSign(it.weight)), " ", it.weight), " ", who(it)),
    el("ul", { class: "what" }, lines(it).map((line) => el("li", {}, line))),
    because(it), it.changes.filter((one) => one.each).map(each),
    el("p", { class: "names" }, sparing(it.tenants, NAMED, (name) => [el("a", { href: write("why", { tenant: name }) }, el("bdi", {}, name)), " "])));
}

function who({ count, plans }) {
  const names = Object.entries(plans);
  const some = names.slice(0, 4).map(([plan, tenants]) => [" ", el("code", {}, plan), names.length > 1 && ` (${tenants})`]);
  return [counted(count, "tenant"), ` of ${names.length === 1 ? "plan" : "plans"}`, some, names.length > 4 && ` and ${names.length - 4} more`];
}

/** One line for each kind of change. */
function lines({ changes }) {
  const kinds = new Map();
  changes.forEach((it) => kinds.set(it.kind, [...(kinds.get(it.kind) ?? []), it]));
  return [...kinds].map(([kind, list]) => [
    el("span", { class: "kind" }, spaced(kind)), " ",
    sparing(alike(list), 40, (some) => el("span", { class: "item" }, item(some))),
  ]);
}

/** Items of one program to which the same happens are named together. */
function alike(list) {
  const found = new Map();
  for (const it of list) {
    const key = JSON.stringify([it.app_id, it.app_ids, it.from, it.to, it.values, it.shells, it.devices, it.item === undefined && it]);
    found.set(key, [...(found.get(key) ?? []), it]);
  }
  return [...found.values()];
}

function item(some) {
  const [it] = some;
  const programs = it.app_id ? [it.app_id] : it.app_ids ?? [];
  return [
    it.item && [names(some.map((one) => one.item)), programs.length > 0 && " in "],
    names(programs), values(it), shells(it.shells), devices(it.devices),
  ];
}

const names = (list) => list.map((name, at) => [at > 0 && ", ", el("code", {}, name)]);

function values({ kind, from, to, values: count }) {
  const [before, after] = [from, to].map((it) => (it === undefined || it === null ? null : date(String(it))));
  if (count) return ` ${counted(count, "value")}`;
  if (kind === "held_back") return ` ${after}${before ? ` (${before} stays)` : ""}`;
  if (before && after) return ` ${before} → ${after}`;
  return before || after ? ` ${before ?? after}` : "";
}

function shells(levels) {
  if (!levels) return "";
  const { min_code, max_code } = levels;
  return max_code === null || max_code === undefined ? ` on shells ${min_code} and up` : min_code === max_code ? ` on shells ${min_code}` : ` on shells ${min_code} to ${max_code}`;
}

function devices(some) {
  if (!some) return "";
  if (some.from === 0) return ` for the first ${some.until} % of devices`;
  return some.until === 100 ? ` for the last ${100 - some.from} % of devices` : ` for devices from ${some.from} % to ${some.until} %`;
}

/** Each reason once, with every place where it stands. It is told for the first tenant. */
function because({ changes, tenants }) {
  const found = new Map();
  for (const { side, text, place } of changes.flatMap((it) => it.because)) {
    const key = JSON.stringify([side, text]);
    const places = found.get(key)?.places ?? new Set();
    found.set(key, { side, text, places: places.add(place) });
  }
  if (found.size === 0) return null;
  const told = ({ side, text, places }) => el("li", { class: "fact" },
    side === "base" && el("span", { class: "before" }, "before: "), plain(text),
    " ", [...places].map((place, at) => [at > 0 && ", ", el("code", { class: "place" }, place)]));
  return el("div", { class: "because" },
    el("p", { class: "title" }, tenants.length > 1 ? ["Because, for ", el("code", {}, tenants[0])] : "Because"),
    el("ul", { class: "facts" }, sparing([...found.values()], 8, told)));
}

/** What a change is for each tenant, where that differs. A table of hundreds is made when somebody wants it. */
function each({ kind, item: what, app_id, each: all }) {
  const title = [spaced(kind), what ?? app_id].filter(Boolean).join(" ");
  const rows = () => Object.entries(all).flatMap(([tenant, values]) => values.map(({ from, to }) => [tenant, from ?? "", to ?? ""]));
  const box = el("details", { ontoggle: () => box.children.length === 1 && box.append(table(`${title}, tenant by tenant`, ["Tenant", "From", "To"], rows())) },
    el("summary", {}, `${title}, tenant by tenant`));
  return box;
}

/** Tenants that cannot be compiled any more. */
export function failing(list) {
  return list.map(({ tenant, message }) => el("p", { class: "trouble" }, el("code", {}, tenant), " can no longer be compiled: ", plain(message)));
}
