// The page: which view is shown, of which document.

import { read, write } from "./address.js";
import { Book } from "./book.js";
import { el, replace, ticked, when } from "./dom.js";
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

/** Views by their names in the address. Each makes `{ node }`, and what it can do better than being made again:
 * `show(wanted)` with other wishes, `settled()` once it stands in the page, `resized()`, `printed()`, `left()` when a
 * panel closes, `where()` and `goTo(place)` for the focus in another document. */
const VIEWS = { now, matrix, impact, timeline, sizes, trust, store, why };
const TITLES = { now: "Now", matrix: "Matrix", impact: "Impact", timeline: "Timeline", sizes: "Sizes", trust: "Trust", store: "Store", why: "Why" };

/** How long nobody types before the address says what is shown, in milliseconds. */
const PAUSE = 150;

const page = (id) => document.getElementById(id);

class Session {
  constructor(data) {
    this.memory = {};
    this.panel = new Panel(page("panel"), () => this.closePanel());
    addEventListener("hashchange", () => this.go());
    addEventListener("resize", () => (this.view?.resized?.(), reachable(page("main"))));
    addEventListener("beforeprint", () => this.view?.printed?.());
    setInterval(() => this.book && ticked(document.body, this.book.now()), 20_000);
    page("skip").addEventListener("click", (event) => (event.preventDefault(), page("main").focus()));
    if (data) this.take(data);
  }

  /** Shows a document, in place of the one before if there is one. */
  take(data) {
    const before = this.book && { ...kept(), place: this.view.where?.() };
    const { name, wanted } = this;
    this.book = new Book(data);
    this.name = null;
    this.head();
    if (!before) return this.go();
    this.show(name, wanted);
    restored(before);
    if (before.place) this.view.goTo(before.place);
    return undefined;
  }

  head() {
    const { project, compiler, at, redacted } = this.book.document;
    replace(page("project"), el("strong", {}, project.title ?? project.name), project.commit && [" ", el("code", {}, project.commit.slice(0, 12))]);
    replace(page("origin"), el("span", {}, when(at, this.book.now())), el("span", { class: "compiler" }, compiler), redacted && el("span", {}, "names left out"));
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
    const id = document.activeElement?.id;
    Object.assign(this, { name, wanted });
    if (isSame) this.view.show(wanted);
    else this.make(name, wanted, isOther);
    reachable(page("main"));
    // What had the focus may have been made anew.
    if (!isOther && id && document.activeElement === document.body) page(id)?.focus({ preventScroll: true });
  }

  make(name, wanted, isOther) {
    if (name !== "matrix") this.panel.hide();
    this.view = VIEWS[name]({ book: this.book, panel: this.panel, memory: this.memory, wanted, change: (part) => this.change(part), open: (hash) => { location.hash = hash; } });
    document.body.classList.toggle("is-full", this.view.isFull === true);
    replace(page("main"), this.view.node);
    this.marks(name, wanted);
    this.view.settled?.();
    if (isOther) this.arrive();
    if (wanted.at) page(`at-${wanted.at}`)?.scrollIntoView();
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
    // On a narrow screen the links are a strip.
    page("views").scrollLeft = page(`to-${name}`).offsetLeft - page("views").offsetLeft - 40;
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
  const at = document.activeElement ?? document.body;
  const frame = page("frame");
  return { id: at.id, value: at.value, selection: [at.selectionStart, at.selectionEnd], scroll: [scrollX, scrollY], frame: [frame?.scrollLeft, frame?.scrollTop] };
}

function restored({ id, value, selection, scroll, frame }) {
  const node = page(id);
  node?.focus({ preventScroll: true });
  if (node?.matches?.("input")) {
    if (node.value !== value) {
      node.value = value;
      node.dispatchEvent(new Event("input"));
    }
    node.setSelectionRange(...selection);
  }
  page("frame")?.scrollTo(...frame);
  scrollTo(...scroll);
}

/** What scrolls can be come to with the keyboard; what does not is no stop on its way. */
function reachable(root) {
  root.querySelectorAll(".wide").forEach((it) => {
    if (it.scrollWidth > it.clientWidth) it.tabIndex = 0;
    else it.removeAttribute("tabindex");
  });
}

const inlined = page("data")?.textContent.trim();
const session = new Session(inlined ? JSON.parse(inlined) : null);
if (!inlined) {
  listen((data) => session.take(data), (trouble) => replace(page("notice"), trouble));
}
