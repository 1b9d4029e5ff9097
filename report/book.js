// The document, and how to find one's way in it. Nothing here decides anything: every sign, version and reason is read.

import { folded, pieces } from "./words.js";

export class Book {
  constructor(document) {
    this.document = document;
    this.tenantAt = new Map(document.tenants.map(({ name }, at) => [name, at]));
    this.programAt = new Map(document.programs.map(({ app_id }, at) => [app_id, at]));
    this.stateAt = new Map(document.legend.map(({ state }, at) => [state, at]));
  }

  /** The instant that days are counted from: now, unless the report is about a later one. */
  now() {
    return Math.max(Date.now(), new Date(this.document.at).getTime());
  }

  /** What can be searched of each tenant. Made when it is first asked for. */
  get names() {
    this.folded ??= this.document.tenants.map(({ name, title }) => folded(title ? `${name}\n${title}` : name));
    return this.folded;
  }

  /** What a program is to those that have this shape. */
  cell(shape, program) {
    const { backdrops, cells, shapes } = this.document;
    const { backdrop, cells: own } = shapes[shape];
    return cells[own[program] ?? backdrops[backdrop][program]];
  }

  /** States of a whole shape, one number for each program. */
  states(shape) {
    const { backdrops, cells, shapes } = this.document;
    const { backdrop, cells: own } = shapes[shape];
    const line = backdrops[backdrop].map((at) => cells[at].state);
    for (const program in own) line[program] = cells[own[program]].state;
    return line;
  }

  /** Everything about a tenant and a program, in words. */
  told(tenant, program) {
    const it = this.document.tenants[tenant];
    const cell = this.cell(it.shape, program);
    const facts = (list) => (list ?? []).map((at) => this.fact(at, it));
    const bound = (end) => end && { at: this.filled(end.at, it), why: this.fact(end.why, it) };
    return {
      tenant: it,
      program: this.document.programs[program],
      state: this.document.legend[cell.state],
      version: cell.version,
      versions: cell.versions ?? [],
      from: bound(cell.from),
      until: bound(cell.until),
      why: facts(cell.why),
      because: facts(cell.because),
      offers: facts(cell.offers),
      passedOver: (cell.passed_over ?? []).map(({ version, why }) => ({ version, why: facts(why) })),
    };
  }

  fact(at, tenant) {
    const { reason, text, place } = this.document.facts[at];
    return { reason, pieces: pieces(text, (part) => this.filled(part, tenant)), place: this.filled(place, tenant) };
  }

  /** Reasons are kept once for all tenants; what is a tenant's own is put in here, in one pass. */
  filled(template, { name, file, own }) {
    return template.replace(/\{\{(tenant|file|\d+)\}\}/g, (_, key) => (key === "tenant" ? name : key === "file" ? file : own[key]));
  }

  plan(tenant) {
    return this.document.plans[tenant.plan];
  }

  profile(tenant) {
    return tenant.profile === null ? null : this.document.profiles[tenant.profile];
  }

  region(tenant) {
    return tenant.region === null ? null : this.document.regions[tenant.region];
  }
}
