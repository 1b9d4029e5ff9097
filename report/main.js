// The page: which view is shown, of which document.

import { read, write } from "./address.js";
import { Book } from "./book.js";
import { el, replace, ticked } from "./dom.js";
import { impact } from "./impact.js";
import { listen } from "./live.js";
import { matrix } from "./matrix.js";
import { now } from "./now.js";
import { Panel } from "./panel.js";
import { sizes } from "./sizes.js";
import { store } from "./stores.js";
import { timeline } from "./timeline.js";
import { trust } from "./trust.js";
import { why } from "./why.js";
import { date } from "./words.js";

/** Views by their names in the address. Each makes `{ node }`, and what it can do better than being made again:
 * `show(wanted)` with other wishes, `settled()` once it stands in the page, `resized()`, `printed()`, `left()` when a panel closes. */
const VIEWS = { now, matrix, impact, timeline, sizes, trust, store, why };
const TITLES = { now: "Now", matrix: "Matrix", impact: "Impact", timeline: "Timeline", sizes: "Sizes", trust: "Trust", store: "Store", why: "Why" };

/** How long nobody types before the address says what is shown, in milliseconds. */
const PAUSE = 150;

const page = (id) => document.querySelector(`#${id}`);

class Session {
  constructor(data) {
    this.memory = {};
    this.panel = new Panel(page("panel"), () => this.closePanel());
    addEventListener("hashchange", () => this.go());
    addEventListener("resize", () => this.view?.resized?.());
    addEventListener("beforeprint", () => this.view?.printed?.());
    setInterval(() => this.book && ticked(document.body, this.book.now()), 20_000);
    page("skip").addEventListener("click", (event) => (event.preventDefault(), page("main").focus()));
    if (data) this.take(data);
  }

  /** Shows a document, in place of the one before if there is one. */
  take(data) {
    const before = this.book && kept();
    this.book = new Book(data);
    this.name = null;
    this.head();
    this.go();
    if (before) restored(before);
  }

  head() {
    const { project, compiler, at, redacted } = this.book.document;
    replace(page("project"), el("strong", {}, project.title ?? project.name), project.commit && [" ", el("code", {}, project.commit.slice(0, 12))]);
    replace(page("origin"), el("time", { datetime: at }, date(at)), el("span", {}, compiler), redacted && el("span", {}, "names left out"));
    document.documentElement.dataset.ready = "";
  }

  /** Shows what the address says. */
  go() {
    if (!this.book) return;
    clearTimeout(this.writing);
    const { view, wanted } = read(location.hash);
    this.show(Object.hasOwn(VIEWS, view) ? view : "now", wanted);
  }

  /** Shows a view, or only other wishes in it where the view can do that. */
  show(name, wanted) {
    const isSame = this.name === name && this.view.show && !(name === "why" && this.wanted.tenant !== wanted.tenant);
    const isOther = this.name !== null && this.name !== name;
    Object.assign(this, { name, wanted });
    if (isSame) return this.view.show(wanted);
    if (name !== "matrix") this.panel.hide();
    this.view = VIEWS[name]({ book: this.book, panel: this.panel, memory: this.memory, wanted, change: (part) => this.change(part), open: (hash) => { location.hash = hash; } });
    document.body.classList.toggle("is-full", this.view.isFull === true);
    replace(page("main"), this.view.node);
    this.marks(name, wanted);
    this.view.settled?.();
    if (isOther) this.arrive();
    if (wanted.at) page(`main`).querySelector(`[id="${CSS.escape(`at-${wanted.at}`)}"]`)?.scrollIntoView();
    return undefined;
  }

  /** Somebody who followed a link begins at the top of what it leads to. */
  arrive() {
    scrollTo(0, 0);
    const heading = page("main").querySelector("h1");
    heading.tabIndex = -1;
    if (!page("views").contains(document.activeElement)) heading.focus({ preventScroll: true });
  }

  /** The navigation, with where we are. */
  marks(name, wanted) {
    document.title = `${TITLES[name]}${wanted.tenant && name === "why" ? `: ${wanted.tenant}` : ""} · ${this.book.document.project.title ?? this.book.document.project.name}`;
    if (!page("views").firstChild) replace(page("views"), Object.entries(TITLES).map(([view, title]) => el("a", { href: write(view), id: `to-${view}` }, title)));
    page("views").querySelectorAll("a").forEach((link) => {
      if (link.id === `to-${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }

  /** Other wishes for the same view; those that are null end. The address follows when a person pauses: browsers take no
   * hundreds of addresses in a row. */
  change(part) {
    const wanted = Object.fromEntries(Object.entries({ ...this.wanted, ...part }).filter(([, value]) => value !== null));
    this.show(this.name, wanted);
    clearTimeout(this.writing);
    this.writing = setTimeout(() => history.replaceState(null, "", write(this.name, this.wanted)), PAUSE);
  }

  closePanel() {
    this.change({ cell: null });
    this.view.left?.();
  }
}

/** Where a person is: focus, what is selected in a field, and how far everything is scrolled. */
function kept() {
  const { activeElement: at } = document;
  return { id: at?.id, selection: at?.selectionStart === undefined ? null : [at.selectionStart, at.selectionEnd], isInSheet: at?.closest(".sheet") !== null && at !== document.body, scroll: [scrollX, scrollY], frame: [page("frame")?.scrollLeft, page("frame")?.scrollTop] };
}

function restored({ id, selection, scroll, frame }) {
  const node = id && page(id);
  node?.focus({ preventScroll: true });
  if (selection?.[0] !== null) node?.setSelectionRange?.(...(selection ?? []));
  page("frame")?.scrollTo(...frame);
  scrollTo(...scroll);
}

const inlined = page("data")?.textContent.trim();
const session = new Session(inlined ? JSON.parse(inlined) : null);
if (!inlined) {
  listen((data) => session.take(data), (isAway) => replace(page("notice"), isAway && "The server does not answer: this is what it said last."));
}
