// Who may sign what, and until when.

import { el, table, when } from "./dom.js";
import { daysBetween, number } from "./words.js";

/** From how many days on something is near: keys are renewed by people, other things are only looked at. */
export const SOON = { keys: 30, changes: 7 };

/** How many hexadecimal digits of a key's name tell it from others. */
const SHORT = 12;

export function trust({ book }) {
  const { trust: it } = book.document;
  const head = el("h1", {}, "Trust");
  if (!it) return { node: el("div", {}, head, el("p", {}, "There is no root yet: ", el("code", {}, "tenantry keys init"), " makes one.")) };
  return {
    node: el("div", {}, head,
      el("p", { class: "lead" }, `Environment ${it.environment}, root ${it.root.version}, which expires `, when(it.root.expires, book.now()), "."),
      weakest(book).map(({ role }) => el("p", { class: "trouble" }, `▲ ${role} has less than ${SOON.keys} days left.`)),
      table("Roles, their keys, and until when they sign", ["Role", "Signs", "Threshold", "Keys", "Until", "#Left", "Last change"], it.roles.map((role) => [
        el("strong", {}, role.role),
        role.signs,
        `${role.threshold} of ${role.keys.length}`,
        role.keys.map((key) => el("details", { class: "key" }, el("summary", {}, el("code", {}, key.slice(0, SHORT), "…")), el("code", {}, key))),
        role.until ? when(role.until, book.now())[0] : "no end",
        left(book, role),
        changed(role.changed),
      ]))),
  };
}

/** Days that a role has left, with a word where they are few. */
export function left(book, { until, days_left }) {
  const days = until ? daysBetween(book.now(), until) : days_left;
  if (days === null) return "no end";
  if (days < 0) return el("strong", { class: "trouble" }, "▲ over");
  const text = days === 1 ? "1 day" : `${number(days)} days`;
  return days < SOON.keys ? el("strong", { class: "trouble" }, `▲ ${text}`) : text;
}

/** Roles with less than a month left. */
export function weakest(book) {
  return book.document.trust.roles.filter(({ until }) => until && daysBetween(book.now(), until) < SOON.keys);
}

function changed(it) {
  if (!it) return "never";
  return it.at ? [`root ${it.version}, `, el("time", { datetime: it.at }, it.at.slice(0, 10))] : `root ${it.version}`;
}
