// Who may sign what, and until when.

import { el, table, when } from "./dom.js";
import { daysBetween, number } from "./words.js";

/** Under how many days an end is near. People have to meet to renew a root; a daily job signs everything else again, so
 * two days mean that it has failed at least once. */
export const SOON = { root: 30, signatures: 2, changes: 7 };

/** How many hexadecimal digits of a key's name tell it from others. */
const SHORT = 12;

export function trust({ book }) {
  const { trust: it } = book.document;
  const head = el("h1", {}, "Trust");
  if (!it) return { node: el("div", {}, head, el("p", {}, "There is no root yet: ", el("code", {}, "tenantry keys init"), " makes one.")) };
  return {
    node: el("div", {}, head,
      el("p", { class: "lead" }, `Environment ${it.environment}, root ${it.root.version}, which expires `, when(it.root.expires, book.now()), "."),
      weakest(book).map((role) => el("p", { class: "trouble" }, warning(role))),
      table("Roles, their keys, and until when they sign", ["Role", "Signs", "Threshold", "Keys", "First end", "#Left", "Last change"], it.roles.map((role) => [
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
export function left(book, role) {
  const { until, days_left } = role;
  const days = until ? daysBetween(book.now(), until) : days_left;
  if (days === null) return "no end";
  if (days < 0) return el("strong", { class: "trouble" }, "▲ over");
  const text = days === 1 ? "1 day" : `${number(days)} days`;
  return days < limit(role) ? el("strong", { class: "trouble" }, `▲ ${text}`) : text;
}

/** Roles of which an end is near. */
export function weakest(book) {
  return book.document.trust.roles.filter((it) => it.until && daysBetween(book.now(), it.until) < limit(it));
}

export function warning({ role }) {
  return role === "root"
    ? `▲ The root ends within ${SOON.root} days: sign the next one.`
    : `▲ Signatures of ${role} end within ${SOON.signatures} days: nothing renews them.`;
}

const limit = ({ role }) => (role === "root" ? SOON.root : SOON.signatures);

function changed(it) {
  if (!it) return "never";
  return it.at ? [`root ${it.version}, `, el("time", { datetime: it.at }, it.at.slice(0, 10))] : `root ${it.version}`;
}
