// What a change does to customers, before it is merged: the plan's document.

import { el, sparing, table } from "./dom.js";
import { entry, failing } from "./changes.js";
import { plain } from "./reasons.js";
import { counted, date, size } from "./words.js";

/** Classes that are shown before a person asks for more. */
const CLASSES = 40;

export function impact({ book }) {
  const { impact: it } = book.document;
  const head = el("h1", {}, "Impact");
  if (!it) return { node: el("div", {}, head, el("p", { class: "lead" }, "No change was given: ", el("code", {}, "tenantry report --base main"), " compares with a revision.")) };
  return {
    node: el("div", {}, head,
      el("p", { class: "hint" }, el("code", {}, it.base.name), " → ", el("code", {}, it.head.name), `, decided at ${date(it.at)}`),
      el("p", { class: "lead" }, it.summary.text),
      downloaded(it.summary),
      el("h2", {}, "Guards"), guards(it.guards),
      it.classes.length > 0 && el("h2", {}, "Changes"),
      sparing(it.classes, CLASSES, entry),
      bundles(it.bundles),
      ahead7(it.ahead)),
  };
}

function downloaded({ bundles: count, bundle_bytes: bytes, download }) {
  const up = count === 0 ? "No bundle to upload" : `${counted(count, "bundle")} to upload (${size(bytes)})`;
  return el("p", {}, `${up}${download ? `; a device downloads ${size(download.bytes)} at most (` : "."}`,
    download && [el("code", {}, download.tenant), `, shells ${download.level}).`]);
}

function guards(list) {
  const sign = { passed: "✓", allowed: "▲", stopped: "✕" };
  return table("Guards", ["Guard", "Outcome", "What was found"], list.map(({ guard, outcome, message }) => [
    el("code", {}, guard),
    el("span", { class: `guard g-${outcome}` }, el("span", { "aria-hidden": "true" }, sign[outcome]), ` ${outcome}`),
    plain(message),
  ]));
}

function bundles(list) {
  if (list.length === 0) return null;
  return [
    el("h2", {}, "Bundles to upload"),
    table("Bundles to upload", ["Program", "Version", "#Bytes"], list.map(({ app_id, version, length }) => [el("code", {}, app_id), version.name, size(length)])),
  ];
}

function ahead7(moments) {
  if (moments.length === 0) return null;
  return [
    el("h2", {}, "By itself, within seven days after the change"),
    moments.map((it) => [el("h3", { class: "moment" }, el("time", { datetime: it.at }, date(it.at))), it.classes.map(entry), failing(it.failing)]),
  ];
}
