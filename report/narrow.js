// What of the matrix is wanted: tenants, classes and programs that fit what a person typed and chose.

import { folded } from "./words.js";

/** Stands for tenants that have no profile, or no region. */
export const WITHOUT = "-";

/** Positions of the tenants that fit. */
export function fitting(book, { tenant, plan, profile, region, level, status }) {
  const { tenants, plans, profiles, regions } = book.document;
  const at = (names, name) => (name === WITHOUT ? null : names.indexOf(name));
  const tests = [];
  if (tenant) tests.push(containing(book, folded(tenant.trim())));
  if (plan) tests.push(equal("plan", at(plans, plan)));
  if (profile) tests.push(equal("profile", at(profiles, profile)));
  if (region) tests.push(equal("region", at(regions, region)));
  if (status) tests.push(equal("status", status));
  if (level) tests.push((it) => it.levels.includes(Number(level)));
  const found = [];
  tenants.forEach((it, position) => tests.every((test) => test(it, position)) && found.push(position));
  return found;
}

const equal = (field, value) => (it) => it[field] === value;

function containing(book, text) {
  const { names } = book;
  return (_, position) => names[position].includes(text);
}

/** Rows and columns that are wanted: `{ programs, classes: [{ at, tenants }] }`. */
export function narrowed(book, wanted) {
  const { classes, programs: all, tenants } = book.document;
  const text = folded((wanted.program ?? "").trim());
  let programs = [...all.keys()].filter((at) => folded(`${all[at].app_id}\n${all[at].title}`).includes(text));
  const members = classes.map(() => []);
  fitting(book, wanted).forEach((position) => members[tenants[position].class].push(position));
  let rows = [...members.keys()].filter((at) => members[at].length > 0);
  if (wanted.state) {
    const state = book.stateAt.get(wanted.state);
    const found = new Set();
    rows = rows.filter((row) => {
      const states = book.states(classes[row].shape);
      const having = programs.filter((program) => states[program] === state);
      having.forEach((program) => found.add(program));
      return having.length > 0;
    });
    programs = programs.filter((program) => found.has(program));
  }
  return { programs, classes: rows.map((at) => ({ at, tenants: members[at] })) };
}
