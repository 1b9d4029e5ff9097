// The matrix itself: a grid in which arrow keys move. Columns that are out of sight are made a little later, or
// when somebody comes to them; so what is in sight is there at once, however many programs there are.

import { el, replace } from "./dom.js";
import { counted, number } from "./words.js";

/** Members of an opened class that are shown at first, and with every further press. */
const MEMBERS = 20;

/** Columns that are made at once. */
const COLUMNS = 32;

/** How long to wait before the next are made, in milliseconds: somebody may be typing. */
const REST = 100;

export class Sheet {
  /** `choose(tenant, program, how)` is told of a cell that was clicked (`pointer`), entered (`key`) or moved to (`moved`). */
  constructor(book, choose) {
    Object.assign(this, { book, choose, made: new Map(), opened: new Map(), rows: [], programs: [], place: { row: 0, column: 0 } });
    // Rows are laid out one by one, for which they are no table to the style sheet: so roles are said.
    this.head = el("thead", { role: "rowgroup" });
    this.body = el("tbody", { role: "rowgroup" });
    this.table = el("table", { class: "sheet", role: "grid", "aria-label": "Classes of tenants by programs", onkeydown: (event) => this.key(event), onclick: (event) => this.click(event), onfocusin: (event) => this.focused(event), onpointerover: (event) => this.hint(event) }, this.head, this.body);
    this.node = el("div", { class: "frame", id: "frame", onscroll: () => this.widen(this.inSight()) }, this.table);
  }

  /** Shows classes (`{ at, tenants }`, those of one page; `first` is how many are before them) and programs. */
  draw({ classes, programs, first, total }) {
    Object.assign(this, { classes, programs, first });
    this.table.classList.toggle("few", programs.length <= 14);
    this.table.style.setProperty("--columns", programs.length);
    this.table.setAttribute("aria-colcount", programs.length + 1);
    this.table.setAttribute("aria-rowcount", total + 1);
    replace(this.head, el("tr", { role: "row", "aria-rowindex": 1 }, el("th", { role: "columnheader", scope: "col", class: "corner" }, "Class")));
    this.node.hidden = classes.length === 0 || programs.length === 0;
    this.fill();
  }

  column(at) {
    const { title, app_id } = this.book.document.programs[at];
    return el("th", { role: "columnheader", scope: "col", title: `${title}, ${app_id}` }, el("span", {}, title));
  }

  fill() {
    const width = this.inSight();
    this.head.firstChild.replaceChildren(this.head.firstChild.firstChild);
    this.rows = this.classes.flatMap((it, at) => this.rowsOf(it, this.first + at));
    this.width = 0;
    this.widen(width);
    replace(this.body, this.rows.map((row) => row.node));
    this.mark();
    this.rove(Math.min(this.place.row, this.rows.length - 1), Math.min(this.place.column, this.programs.length));
  }

  /** How many columns it takes to fill what is in sight, and a little more. */
  inSight() {
    const cell = this.head.firstChild?.cells[1]?.offsetWidth;
    return cell ? Math.max(COLUMNS, Math.ceil((this.node.scrollLeft + this.node.clientWidth) / cell)) : COLUMNS;
  }

  /** Makes columns until there are so many, or all; the others follow in a while. */
  widen(width = this.programs.length) {
    if (width <= this.width) return;
    const added = this.programs.slice(this.width, width);
    this.width += added.length;
    this.head.firstChild.append(...added.map((at) => this.column(at)));
    this.rows.filter((it) => !it.isRest).forEach((it) => it.node.append(...added.map((program) => this.cell(it.shape, program))));
    this.mark();
    clearTimeout(this.later);
    if (this.width < this.programs.length) this.later = setTimeout(() => this.node.isConnected && this.widen(this.width + COLUMNS), REST);
  }

  rowsOf({ at, tenants }, position) {
    const key = this.book.document.tenants[this.book.document.classes[at].tenants[0]].name;
    const shown = Math.min(this.opened.get(key) ?? 0, tenants.length);
    const { shape } = this.book.document.classes[at];
    const row = { of: at, key, tenants, shape, tenant: tenants[0], isClass: true };
    row.node = this.line(this.label(row, shown > 0), { "aria-rowindex": position + 2 });
    const members = tenants.slice(0, shown).map((tenant) => {
      const it = this.book.document.tenants[tenant];
      const member = { of: at, key, tenants, shape: it.shape, tenant, isClass: false };
      member.node = this.line(this.member(it), { class: "member" });
      return member;
    });
    if (shown > 0 && shown < tenants.length) members.push(this.rest(row, tenants.length - shown));
    return [row, ...members];
  }

  line(label, attributes) {
    return el("tr", { role: "row", ...attributes }, label);
  }

  /** A copy of the cell that was made for the same decision before. */
  cell(shape, program) {
    const it = this.book.cell(shape, program);
    if (!this.made.has(it)) this.made.set(it, this.make(it));
    return this.made.get(it).cloneNode(true);
  }

  make({ state, version }) {
    const { sign, text, state: name } = this.book.document.legend[state];
    const label = version ? `${text}, ${version}` : text;
    return el("td", { role: "gridcell", tabindex: "-1", class: `s-${name}`, "aria-label": label }, sign, version && el("small", {}, version));
  }

  label({ of, tenants, tenant }, isOpen) {
    const { classes, tenants: all } = this.book.document;
    const whole = classes[of].tenants.length;
    const plain = classes[of].text.replaceAll("`", "");
    if (whole === 1) return el("th", { role: "rowheader", scope: "row" }, this.member(all[tenant]).firstChild, el("small", {}, plain));
    const count = tenants.length === whole ? counted(whole, "tenant") : `${number(tenants.length)} of ${counted(whole, "tenant")}`;
    return el("th", { role: "rowheader", scope: "row" }, el("button", { type: "button", class: "fold", tabindex: "-1", "aria-expanded": String(isOpen) }, count), el("small", { title: plain }, plain));
  }

  member({ name, title }) {
    return el("th", { role: "rowheader", scope: "row" }, el("a", { tabindex: "-1", href: `#why?tenant=${encodeURIComponent(name)}`, title: title ?? name }, el("bdi", {}, name)));
  }

  rest(row, count) {
    const fold = el("button", { type: "button", class: "fold more", tabindex: "-1" }, count <= MEMBERS ? `${count} more` : `${MEMBERS} more of ${number(count)}`);
    return { ...row, isRest: true, node: el("tr", { role: "row", class: "member" }, el("th", { role: "rowheader", scope: "row" }, fold)) };
  }

  /** Shows the cell whose reasons are read: that of the class, and that of the tenant where it has a row. */
  select(tenant, program) {
    this.selected = { tenant, program };
    this.mark();
  }

  mark() {
    this.body.querySelectorAll("[aria-selected]").forEach((node) => node.removeAttribute("aria-selected"));
    if (!this.selected) return;
    const { tenant, program } = this.selected;
    const column = this.programs.indexOf(program) + 1;
    if (column === 0) return;
    this.rows.filter((it) => !it.isRest && (it.isClass ? it.tenants.includes(tenant) : it.tenant === tenant))
      .forEach((it) => it.node.cells[column]?.setAttribute("aria-selected", "true"));
  }

  /** Brings the selected cell into sight, and makes it the one that Tab comes to. */
  reveal() {
    this.widen(this.programs.indexOf(this.selected?.program) + 1);
    const cell = this.body.querySelector("[aria-selected]");
    if (!cell) return;
    this.rove(cell.parentNode.sectionRowIndex, cell.cellIndex);
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Where a person is, in words that mean the same in another document; null when he is not here. */
  where() {
    const row = this.rows[this.place.row];
    if (!row || !this.table.contains(document.activeElement)) return null;
    const { tenants, programs } = this.book.document;
    return { tenant: tenants[row.tenant].name, isClass: row.isClass, program: programs[this.programs[this.place.column - 1]]?.app_id };
  }

  /** Goes there, if there is such a place. */
  goTo({ tenant, isClass, program }) {
    const at = this.book.tenantAt.get(tenant);
    const row = this.rows.findIndex((it) => !it.isRest && it.isClass === isClass && (isClass ? it.tenants.includes(at) : it.tenant === at));
    if (row < 0) return;
    this.rove(row, this.programs.indexOf(this.book.programAt.get(program)) + 1);
    this.focus();
  }

  focus() {
    this.target(this.place.row, this.place.column)?.focus();
  }

  /** What gets the focus: the cell, or what can be pressed in the head of a row. */
  target(row, column) {
    this.widen(column);
    const cell = this.rows[row]?.node.cells[column];
    return column === 0 || this.rows[row]?.isRest ? this.rows[row]?.node.querySelector("button, a") : cell;
  }

  rove(row, column) {
    this.roving?.setAttribute("tabindex", "-1");
    this.place = { row: Math.max(0, row), column: Math.max(0, column) };
    this.roving = this.target(this.place.row, this.place.column);
    this.roving?.setAttribute("tabindex", "0");
  }

  focused({ target }) {
    const cell = target.closest("tbody > tr > *");
    if (cell) this.rove(cell.parentNode.sectionRowIndex, this.rows[cell.parentNode.sectionRowIndex].isRest ? this.place.column : cell.cellIndex);
  }

  key(event) {
    const { row, column } = this.place;
    const [lastRow, lastColumn] = [this.rows.length - 1, this.programs.length];
    const to = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      PageUp: [row - 10, column], PageDown: [row + 10, column],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? lastRow : row, lastColumn],
    }[event.key];
    const isCell = event.target.tagName === "TD";
    if (to && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.rove(Math.min(Math.max(to[0], 0), lastRow), Math.min(Math.max(to[1], 0), lastColumn));
      this.focus();
      if (this.selected && this.roving.tagName === "TD") this.chosen("moved");
    } else if (isCell && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      this.chosen("key");
    }
  }

  click({ target }) {
    const fold = target.closest(".fold");
    const cell = target.closest("td");
    if (fold) this.toggle(this.rows[fold.closest("tr").sectionRowIndex]);
    else if (cell) {
      cell.focus({ preventScroll: true });
      this.chosen("pointer");
    }
  }

  /** What a sign means, where a pointer rests. Not said of thousands of cells beforehand. */
  hint({ target }) {
    const cell = target.closest("td");
    if (cell && !cell.title) cell.title = cell.getAttribute("aria-label");
  }

  chosen(how) {
    const { tenant, tenants } = this.rows[this.place.row];
    this.choose(tenant, this.programs[this.place.column - 1], tenants, how);
  }

  toggle({ key, isRest }) {
    const shown = this.opened.get(key) ?? 0;
    if (shown > 0 && !isRest) this.opened.delete(key);
    else this.opened.set(key, shown + MEMBERS);
    this.fill();
    this.focus();
  }
}
