// How a decision is told: the same groups of reasons in the panel, in the tree and in Markdown.

import { el, sentence } from "./dom.js";
import { date, pieces } from "./words.js";

/** `{ title, facts, isChain? }`, in the order in which they are read. */
export function groups(told) {
  const isThere = told.version !== null;
  const found = [];
  const add = (title, facts, more = {}) => facts.length > 0 && found.push({ title, facts, ...more });
  add("Why not", told.why, { isChain: true });
  add(isThere ? "Because" : "Asked for", told.because);
  if (told.from) add(`From ${date(told.from.at)}`, [told.from.why]);
  if (told.until) add(`Until ${date(told.until.at)}`, [told.until.why]);
  told.passedOver.forEach(({ version, why }) => add(`${version} is passed over`, why, { isChain: true }));
  add("What would give it", told.offers);
  return found;
}

/** Versions and the shells that take them, where there is something to say about it. */
export function releases({ versions }) {
  if (versions.length <= 1 && versions.every((it) => it.everywhere)) return [];
  return versions.map(({ version, min_code, max_code }) =>
    `${version} for ${max_code === undefined || max_code === null ? `shells ${min_code} and up` : min_code === max_code ? `shells ${min_code}` : `shells ${min_code} to ${max_code}`}`);
}

/** A reason: a sentence, and the line where it was written. */
export function fact({ pieces: parts, place }) {
  return [el("span", { class: "text" }, sentence(parts)), " ", el("code", { class: "place" }, place)];
}

/** Groups as a list, deep enough to be read. `isChain`: each link is the reason of the one before. */
export function told(decision) {
  return el("ul", { class: "groups" },
    releases(decision).map((text) => el("li", { class: "release" }, text)),
    groups(decision).map((group) => el("li", { class: "group" },
      el("span", { class: "title" }, group.title),
      el(group.isChain && group.facts.length > 1 ? "ol" : "ul", { class: group.isChain ? "facts chain" : "facts" },
        group.facts.map((it) => el("li", { class: "fact" }, fact(it)))))));
}

/** A sentence of the compiler with names in backticks. */
export const plain = (text) => sentence(pieces(text));

/** A sign, with its meaning for those who do not see it. */
export function sign({ sign: shown, state, text }, { isNamed = true } = {}) {
  return el("span", { class: `sign s-${state}`, ...(isNamed ? { role: "img", "aria-label": text } : { "aria-hidden": "true" }) }, shown);
}
