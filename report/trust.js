// Who may sign what, and until when.

import { el, table, when } from "./dom.js";
import { counted, daysBetween } from "./words.js";

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
      table("Roles, their keys, and until when they sign", ["Role", "#Left", "First end", "Threshold", "Keys", "Signs", "Keys since"], it.roles.map((role) => [
        el("strong", {}, role.role),
        left(book, role),
        role.until ? when(role.until, book.now())[0] : "no end",
        `${role.threshold} of ${role.keys.length}`,
        role.keys.map((key) => el("details", { class: "key" }, el("summary", {}, el("code", {}, key.slice(0, SHORT), "…")), el("code", {}, key))),
        role.signs,
        `root ${role.changed.version}`,
      ]))),
  };
}

/** Days that a role has left; in red, with a sign, where the document says that somebody should look. */
export function left(book, { until, warn }) {
  if (!until) return "no end";
  const days = daysBetween(book.now(), until);
  if (days >= 0 && !warn) return counted(days, "day");
  return el("strong", { class: "trouble" }, days < 0 ? "▲ over" : `▲ ${counted(days, "day")}`);
}

/** Roles of which the document warns. */
export const weakest = (book) => book.document.trust.roles.filter((it) => it.warn);

export function warning({ role }) {
  return role === "root" ? "▲ The root ends soon: people have to sign the next one." : `▲ Signatures of ${role} end soon: nothing has renewed them.`;
}
