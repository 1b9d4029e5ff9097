// The shell: whose programs, what may run, what is new.

import { Bridge } from "./bridge.js";
import { utf8 } from "./client/bytes.js";
import { Client } from "./client/client.js";
import { IndexedShelf, Shelf } from "./client/shelf.js";
import { Trouble } from "./client/trouble.js";
import { Programs, wipe } from "./programs.js";
import { about, dialog, dress, el, home, message, nameOf, notice, picker, running, show, trust } from "./view.js";
import { news, permission, trouble, verdict } from "./words.js";

const app = document.querySelector("#app");
const notices = document.querySelector("#notices");
const say = (what) => notice(notices, what);
const now = () => Math.floor(Date.now() / 1000);

/** How long a page that has just come up is left alone before it does what is for later, in milliseconds. */
const LATER = 300;

/** How long to wait after a check that failed, in seconds: a minute at first, an hour at most. */
const AGAIN = { first: 60, most: 3600 };

class Session {
  constructor({ config, root, store, addr }) {
    Object.assign(this, { config, store, addr, icons: new Map(), problem: null, checked: null, checking: false, current: null, foretold: null, failures: 0, unprepared: new Set() });
    this.setup = { addr, base: new URL(config.base, location), root, platform: config.platform, store, keeps: ["leftovers"] };
  }

  /** From what is on this device, at once; then the network is asked. */
  async begin() {
    this.client = await Client.open(this.setup);
    this.programs = new Programs({ frames: this.config.frames, store: this.store, addr: this.addr, client: this.client });
    this.consents = new Consents(await this.store.load("consents"), this.store);
    this.channel = new BroadcastChannel("tenantry");
    this.channel.onmessage = ({ data }) => (data === "another" ? location.reload() : this.look());
    // Whatever is wrong with what is here, something newer may be there.
    await this.comeUp().catch(broken);
    // On a device that has nothing, whatever is opened first has its place by then.
    if (!this.start.set) this.programs.anticipate().catch((error) => console.info(error.message));
    addEventListener("online", () => this.check());
    document.addEventListener("visibilitychange", () => !document.hidden && now() >= this.nextCheck && this.check());
    await this.check();
    // What a person waits for goes before what is for later starts.
    await this.opening;
    setTimeout(keep, LATER);
    if ((await this.client.examine()).length > 0) {
      await this.look();
      await this.check();
    }
  }

  /** Shows what is current. What does not come up twice is not shown a third time, if there is something to go back to. */
  async comeUp() {
    const isBack = await this.client.countStart(now());
    await this.look();
    await this.client.confirmStart().catch((error) => console.info(error.message));
    if (isBack) say({ kind: "refused", title: "The version before is shown", text: "The newest one could not be started. It is tried again tomorrow, or when your vendor has another one." });
  }

  /** Reads again what may run, and shows it. */
  async look() {
    const start = await this.client.start(now());
    this.start = start.set ? start : (this.foretold ?? start);
    clearTimeout(this.change);
    const wait = this.start.nextChange === null ? null : 1000 * (this.start.nextChange - this.start.now);
    if (wait !== null && wait < 2 ** 31) this.change = setTimeout(() => this.look(), wait);
    if (this.current && this.start.set) this.reconsider();
    if (this.current && !this.start.set) this.close();
    if (!this.current) this.render();
    if (start.set && (await this.readIcons()) && !this.current) this.render();
  }

  /** What will be installed, before it is: enough for a first screen. */
  foretell(start) {
    this.start = this.foretold = start;
    try {
      if (!this.current) this.render();
    } catch (error) {
      // Whether it comes up is found out once it is installed.
      console.error(error);
    }
  }

  render() {
    document.title = nameOf(this.start.set);
    document.documentElement.dataset.scheme = this.start.set?.branding.color_scheme ?? "auto";
    if (!this.start.set) return this.renderNothing();
    const act = {
      open: (program) => this.open(program),
      install: (program) => this.install(program),
      about: (program) => this.about(program),
      check: () => this.check("asked"),
      details: () => this.details(),
      leave: () => leave(this),
    };
    const { programs, freshness, set } = this.start;
    const seen = JSON.stringify([set.branding, programs, freshness, this.problem]).replaceAll('"arriving"', '"runs"');
    // A page that stays as it is is let be: nobody's click meets an element that is just being replaced.
    if (seen !== this.seen || !app.querySelector(".grid")) {
      const focused = document.activeElement?.closest?.("[data-app]")?.dataset.app;
      const page = home({ start: this.start, problem: this.problem, act });
      if (app.querySelector(".grid")) app.replaceChildren(...page.filter(Boolean));
      else show(app, page);
      if (focused) app.querySelector(`[data-app="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
      this.seen = seen;
    }
    return dress(app, { icons: this.icons, status: this.status() });
  }

  renderNothing() {
    const again = el("button", { type: "button", class: "button primary", onclick: () => this.check("asked") }, "Try again");
    const other = el("button", { type: "button", class: "button plain", onclick: () => leave(this) }, "Another organisation");
    if (!this.problem) return show(app, message("Getting your programs", "They are fetched and verified on this device."));
    return show(app, message(this.problem.title, this.problem.text, again, other));
  }

  status() {
    if (this.checking) return { kind: "busy", text: "Checking…" };
    if (this.problem?.kind === "refused") return { kind: "refused", text: "Update refused" };
    if (this.problem) return { kind: "away", text: "Offline" };
    if (this.start.staleSince) return { kind: "away", text: "Server is behind" };
    return { kind: "well", text: "Up to date" };
  }

  /** Asks the server. `asked`: a person waits for the answer. */
  async check(asked) {
    this.isAsked ||= asked;
    if (this.checking) return;
    this.checking = true;
    clearTimeout(this.timer);
    if (asked && !this.current) this.render();
    const update = await navigator.locks.request("tenantry", () => this.refresh()).catch((error) => {
      console.error(error);
      this.nextCheck = now() + AGAIN.first;
      return null;
    });
    [this.checking, this.foretold] = [false, null];
    this.timer = setTimeout(() => this.check(), 1000 * Math.max(1, this.nextCheck - now()));
    await (update?.staged ? this.comeUp() : this.look());
    if (update?.staged) {
      this.channel.postMessage("changed");
      if (this.had) say({ kind: "news", title: "Updated in the background", text: news(update) });
      this.had = true;
    }
    if (this.isAsked && update && !update.staged) say({ kind: "news", title: "Up to date", text: "There is nothing new." });
    this.isAsked = false;
    if (update) setTimeout(() => this.settle(), LATER);
  }

  async refresh() {
    this.had = this.start.set !== null;
    try {
      // What is refused may be no more than a cache that went wrong, in this browser or on the way.
      const foretold = (start) => this.foretell(start);
      const again = (error) => (error.isRefusal ? this.client.refresh(now(), { caches: "bypassed", foretold }) : Promise.reject(error));
      const update = await this.client.refresh(now(), { early: window.early, foretold }).catch(again);
      if (update.staged) await this.client.activate();
      Object.assign(this, { problem: null, checked: now(), failures: 0 });
      this.nextCheck = Math.min(update.nextCheck, now() + (this.config.check_every ?? Infinity));
      return update;
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      const before = this.problem?.code;
      this.problem = { ...trouble(error), code: error.code };
      this.failures += 1;
      const wait = Math.min(AGAIN.first * 2 ** (this.failures - 1), AGAIN.most);
      this.nextCheck = now() + Math.min(wait, this.config.check_every ?? Infinity);
      console.info(`${error.code}: ${error.message}`);
      // On the page of all programs it stands above them.
      if (this.current && this.problem.kind === "refused" && before !== error.code) say({ ...this.problem });
      return null;
    }
  }

  /** Brings every program to its place, so that it starts at once and without the network; and rests of others away. */
  settle() {
    // One page of the shell does it for all.
    return navigator.locks.request("tenantry places", { ifAvailable: true }, (lock) => lock && this.place());
  }

  async place() {
    for (const program of this.start.programs.filter((it) => it.verdict.is === "runs")) {
      if (this.current) return;
      if (this.unprepared.has(program.app_id)) continue;
      // What cannot be prepared is not tried again before the page is opened anew; opening it still is.
      await this.programs.prepare(program).catch((error) => {
        this.unprepared.add(program.app_id);
        console.info(`${program.app_id}: ${error.message}`);
      });
    }
    await cleared(this.store);
    app.dataset.settled = this.start.publication;
  }

  /** Icons come out of verified archives, and are kept beside them. Whether there are others than before. */
  async readIcons() {
    let isNew = false;
    const wanted = this.start.programs.filter((it) => it.release?.icons.length > 0);
    for (const program of wanted) {
      const name = `icons/${program.release.bundle.blake3}`;
      const icon = (await this.store.load(name)) ?? (await this.extract(program, name));
      const shown = this.icons.get(program.app_id);
      if (!icon || shown?.of === icon.of) continue;
      if (shown) URL.revokeObjectURL(shown.url);
      this.icons.set(program.app_id, { of: icon.of, url: URL.createObjectURL(new Blob([icon.bytes], { type: icon.type })) });
      isNew = true;
    }
    const kept = new Set(wanted.map((it) => `icons/${it.release.bundle.blake3}`));
    const remove = (await this.store.names()).filter((it) => it.startsWith("icons/") && !kept.has(it));
    if (remove.length > 0) await this.store.change({ remove });
    return isNew;
  }

  async extract(program, name) {
    const { src } = program.release.icons[0];
    const type = { svg: "image/svg+xml", png: "image/png", webp: "image/webp", jpg: "image/jpeg" }[src.split(".").pop()];
    const bytes = await this.client.files(program).then((files) => files.get(src), () => null);
    if (!bytes || !type) return null;
    const icon = { bytes, type, of: program.release.bundle.blake3 };
    await this.store.change({ put: new Map([[name, icon]]) });
    return icon;
  }

  async install(program) {
    try {
      await this.client.obtain(program);
      await this.look();
      await this.settle();
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      say({ ...trouble(Object.assign(error, { kept: true })), title: `${program.name} could not be fetched` });
    }
  }

  open(program) {
    this.opening = this.opened(program).catch(broken);
    return this.opening;
  }

  async opened(program) {
    const frame = el("iframe", { title: program.name, class: "program" });
    const act = { close: () => this.close(), about: (it) => this.about(it) };
    const { branding } = this.start.set;
    show(app, running({ program, branding, frame, act }));
    document.title = program.name;
    this.current = { program, frame, bridge: null, told: new Set() };
    const origin = await this.programs.origin(program.app_id);
    if (this.current?.frame !== frame) return;
    this.current.bridge = new Bridge({
      program, frame, origin,
      info: {
        app_id: program.app_id, version: program.release.version, tenant: nameOf(this.start.set), lang: navigator.language,
        color_scheme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light", ext: program.release.ext,
      },
      consents: this.consents.of(program.app_id),
      consent: (wanted) => this.ask(program, wanted),
      notice: say,
      stopped: (what) => this.stopped(program, what),
      title: (title) => frame.setAttribute("title", title || program.name),
    });
    try {
      await this.programs.open(program, frame);
      app.querySelector(".stage")?.removeAttribute("aria-busy");
      frame.focus();
    } catch (error) {
      if (this.current?.frame !== frame) return;
      this.close();
      say({ kind: "refused", title: `${program.name} could not be started`, text: error.message });
    }
  }

  close() {
    const { program, bridge } = this.current;
    bridge?.close();
    this.current = null;
    this.render();
    app.querySelector(`[data-app="${CSS.escape(program.app_id)}"]`)?.focus();
    setTimeout(() => this.settle(), LATER);
  }

  /** A program is running, and something has changed: it goes on, is stopped, or is offered anew. */
  reconsider() {
    const { program, told } = this.current;
    const there = this.start.programs.find((it) => it.app_id === program.app_id) ?? { verdict: { is: "lost" } };
    const goesOn = ["runs", "arriving"].includes(there.verdict.is) || there.verdict.mode === "drain";
    if (!goesOn) {
      this.close();
      return say({ kind: "refused", title: `${program.name} was stopped`, text: verdict(there.verdict)[1] });
    }
    const isNew = there.release.bundle.blake3 !== program.release.bundle.blake3 || there.release.overlay?.blake3 !== program.release.overlay?.blake3;
    const key = `${there.release.bundle.blake3} ${there.release.overlay?.blake3}`;
    if (!isNew || told.has(key)) return undefined;
    told.add(key);
    const restart = () => (this.close(), this.open(there));
    if (there.release.update_policy.mode === "force") return restart();
    return say({ kind: "news", title: `${program.name} was updated`, text: "The new version starts the next time.", actions: [{ text: "Restart now", run: restart }] });
  }

  /** A program tried what it may not; said once for each thing. */
  stopped(program, { host, permission: name }) {
    const what = host ? `It tried to reach ${host}, which is not among the hosts it may talk to.` : `It wanted to ${permission(name)}, which is not among what it may ask for.`;
    if (this.current?.told.has(what)) return;
    this.current?.told.add(what);
    say({ kind: "refused", title: `${program.name} was held back`, text: what });
  }

  async ask(program, { name, reason }) {
    const body = el("div", {}, el("p", { class: "lead" }, `It wants to ${permission(name)}.`), el("p", { class: "hint" }, `The vendor says why: “${reason}”`));
    const actions = [{ text: "Don’t allow", value: "" }, { text: "Allow", value: "yes", kind: "primary" }];
    return (await dialog({ title: `Allow ${program.name}?`, body, actions })) === "yes";
  }

  async about(program) {
    const consents = this.consents.of(program.app_id);
    const actions = [{ text: "Close", value: "" }];
    if (consents.size > 0) actions.unshift({ text: "Ask me again", value: "forget" });
    if ((await dialog({ title: program.name, body: about(program, consents), actions })) === "forget") consents.clear();
  }

  details() {
    return dialog({ title: "How this was checked", body: trust(this), actions: [{ text: "Close", value: "" }] });
  }
}

/** What the person agreed to, by program. */
class Consents {
  constructor(kept, store) {
    this.all = new Map(Object.entries(kept ?? {}));
    this.store = store;
  }

  of(app_id) {
    const said = new Map(Object.entries(this.all.get(app_id) ?? {}));
    const keep = () => {
      this.all.set(app_id, Object.fromEntries(said));
      return this.store.change({ put: new Map([["consents", Object.fromEntries(this.all)]]) });
    };
    return {
      get size() { return said.size; },
      get: (name) => said.get(name),
      set: (name, is) => (said.set(name, is), keep()),
      clear: () => (said.clear(), keep()),
    };
  }
}

/** Everything of the tenant goes before another one comes. */
async function leave(session) {
  const name = nameOf(session.start.set);
  const body = el("p", { class: "lead" }, `Everything of ${name} is removed from this device: its programs, and what you entered into them here.`);
  const actions = [{ text: "Cancel", value: "" }, { text: "Remove and switch", value: "yes", kind: "primary" }];
  if ((await dialog({ title: "Switch organisation?", body, actions })) !== "yes") return;
  await forget(session);
  location.hash = "";
  location.reload();
}

async function forget(session) {
  clearTimeout(session.timer);
  show(app, message("Removing", "Just a moment."));
  await navigator.locks.request("tenantry", async () => {
    const left = await session.programs.wipe();
    // Origins that did not answer are tried again later. Nobody can reach them: the key that names them is gone.
    await session.store.empty(new Map(left.length > 0 ? [["leftovers", left]] : []));
  });
  // Other pages of the shell still show what is gone.
  new BroadcastChannel("tenantry").postMessage("another");
}

/** Tries again to empty origins of an earlier tenant. */
async function cleared(store) {
  const left = await store.load("leftovers");
  if (!left) return;
  const wiped = await Promise.allSettled(left.map(wipe));
  const still = left.filter((_, at) => wiped[at].status === "rejected");
  await store.change(still.length > 0 ? { put: new Map([["leftovers", still]]) } : { remove: ["leftovers"] });
}

/** The page may talk to the server and show programs, and nothing else. Only the configuration knows where they are. */
function narrow({ base, frames }) {
  const rules = `frame-src ${new URL(frames.replace("{label}", "x")).origin.replace("//x.", "//*.")}; connect-src 'self' ${new URL(base, location).origin}`;
  document.head.append(el("meta", { "http-equiv": "Content-Security-Policy", content: rules }));
}

async function choose(setup) {
  const tenants = await fetch("tenants.json").then((it) => (it.ok ? it.json() : null), () => null);
  const chosen = (addr) => {
    location.hash = `t=${addr}`;
    begin({ ...setup, addr });
  };
  show(app, picker({ tenants, choose: chosen }));
}

function begin(setup) {
  return new Session(setup).begin().catch(broken);
}

/** Another tenant's link was opened on a device that has one already. */
async function another(setup, wanted, addr) {
  const session = new Session({ ...setup, addr });
  session.client = await Client.open(session.setup);
  session.programs = new Programs({ frames: setup.config.frames, store: setup.store, addr, client: session.client });
  session.start = await session.client.start(now());
  const stay = el("button", { type: "button", class: "button", onclick: () => ((location.hash = `t=${addr}`), begin({ ...setup, addr })) }, `Stay with ${nameOf(session.start.set)}`);
  const go = async () => (await forget(session), begin({ ...setup, addr: wanted }));
  const text = `This device has the programs of ${nameOf(session.start.set)}. The link is for another organisation; if you follow it, everything of ${nameOf(session.start.set)} is removed from this device.`;
  show(app, message("Another organisation", text, stay, el("button", { type: "button", class: "button primary", onclick: go }, "Remove and switch")));
}

function broken(error) {
  console.error(error);
  const again = el("button", { type: "button", class: "button primary", onclick: () => location.reload() }, "Try again");
  show(app, message("This does not work", error.message, again));
}

/** The shell starts without the network from then on. Nobody waits for it. */
function keep() {
  navigator.serviceWorker?.register("worker.js").catch((error) => console.info(error.message));
  navigator.storage?.persist?.();
}

async function main() {
  const { config, root: written } = JSON.parse(document.querySelector("#given").textContent);
  const [root, store] = [utf8(written), await IndexedShelf.open("tenantry")];
  narrow(config);
  const setup = { config, root, store };
  const wanted = new URLSearchParams(location.hash.slice(1)).get("t");
  const there = (await new Shelf(store).small("tenant.json"))?.addr ?? null;
  if (wanted === null && there === null) return keep(), choose(setup);
  if (wanted !== null && there !== null && wanted !== there) return another(setup, wanted, there);
  return begin({ ...setup, addr: wanted ?? there });
}

addEventListener("hashchange", () => {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("t");
  if (wanted && !document.querySelector(".narrow form")) location.reload();
});

main().catch(broken);
