// Makes elements. Text becomes text nodes, so data never becomes markup.

import { away, date } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element. `on…` listens, `true` is a bare attribute, and what is null, undefined or false is left out. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for drawings. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter(isSaid));
  return node;
}

const isSaid = (child) => child !== null && child !== undefined && child !== false;

/** The content of an element, and nothing else any more. */
export function replace(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(isSaid));
}

/** A sentence of pieces, as `pieces` gives them: names stand out. */
export function sentence(parts) {
  return parts.map(({ text, isName }) => (isName ? el("code", {}, text) : text));
}

/** An instant (spelled as `text`), and how far it is. `ticked` keeps that true while the page is open. */
export function when(instant, now, text = date(instant)) {
  return [el("time", { datetime: instant, title: instant }, text), " ", el("span", { class: "away", "data-at": instant }, away(instant, now))];
}

/** Says anew how far everything is that `when` has said. */
export function ticked(root, now) {
  root.querySelectorAll("[data-at]").forEach((node) => {
    const text = away(node.dataset.at, now);
    if (node.textContent !== text) node.textContent = text;
  });
}

/** Something that only a screen reader says. */
export const unseen = (text) => el("span", { class: "unseen" }, text);

export const button = (text, onclick, attributes = {}) => el("button", { type: "button", class: "button", onclick, ...attributes }, text);

/** A table: names of columns, and rows of cells. A column `#…` is of numbers; the first cell of a row is its name. */
export function table(caption, columns, rows, attributes = {}) {
  const isNumber = columns.map((name) => name.startsWith("#"));
  const cell = (value, at) => (at === 0
    ? el("th", { scope: "row", class: isNumber[at] && "number" }, value)
    : el("td", { class: isNumber[at] && "number" }, value));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, el("table", { class: "list", ...attributes },
    el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, columns.map((name, at) => el("th", { scope: "col", class: isNumber[at] && "number" }, name.replace("#", ""))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
}

/** The first so many of a list, and a button for the next. */
export function sparing(items, most, make) {
  const rest = items.length - most;
  if (rest <= 0) return items.map(make);
  const show = () => {
    const made = sparing(items.slice(most), Math.max(most, 200), make).flat(Infinity).filter(isSaid);
    more.replaceWith(...made);
    onward(made);
  };
  const more = button(`${rest} more`, show, { class: "button more" });
  return [...items.slice(0, most).map(make), more];
}

/** The focus, which was on a button that is gone, goes to the first of `made` that can have it. */
export function onward(made) {
  const nodes = made.filter((it) => it instanceof Element);
  nodes.flatMap((it) => [it, ...it.querySelectorAll("a, button, summary")]).find((it) => it.matches("a, button, summary"))?.focus({ preventScroll: true });
}
