// Markdown for a ticket, and the way to the clipboard.

import { groups, releases } from "./reasons.js";

/** Everything of a tenant. `decisions` are what `Book.told` gives. */
export function markdown(book, tenant, decisions) {
  const head = `### ${code(tenant.name)}${tenant.title ? ` (${harmless(tenant.title)})` : ""}, plan ${code(book.plan(tenant))}`;
  const { project, at, compiler } = book.document;
  const foot = `Decided at ${at} from ${code(project.commit ?? `inputs ${project.inputs.slice(0, 12)}`)} by ${compiler}.`;
  return [head, "", ...decisions.flatMap(markdownLines), "", foot, ""].join("\n");
}

function markdownLines(it) {
  const version = it.version ? ` ${it.version}` : "";
  return [
    `- ${it.state.sign} **${harmless(it.program.title)}**${version} (${code(it.program.app_id)}): ${it.state.text}`,
    ...releases(it).map((text) => `  - ${text}`),
    ...groups(it).flatMap(({ title, facts }) => (facts.length === 1
      ? [`  - ${title}: ${written(facts[0])}`]
      : [`  - ${title}:`, ...facts.map((fact) => `    - ${written(fact)}`)])),
  ];
}

const written = ({ pieces, place }) => `${pieces.map(({ text, isName }) => (isName ? code(text) : text)).join("")} (${code(place)})`;

/** A fence that is longer than any row of backticks within. */
function code(name) {
  const text = name.replace(/\s+/g, " ");
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([row]) => row.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}

const harmless = (text) => text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>()#+!|@~]/g, "\\$&");

/** Puts text on the clipboard; whether that worked. Where the browser gives a page none, as some do with files, the old way is taken. */
export async function copied(text) {
  const isGiven = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  return isGiven || copiedTheOldWay(text);
}

function copiedTheOldWay(text) {
  const field = document.createElement("textarea");
  const before = document.activeElement;
  field.value = text;
  field.className = "unseen";
  field.setAttribute("aria-hidden", "true");
  document.body.append(field);
  field.select();
  const worked = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return worked;
}
