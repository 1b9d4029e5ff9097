// One tenant's programs on one device: fetched, verified, kept; and what may run. The web's `src/client.rs`.
//
// Names on the shelf: `tenant.json`, `trusted/...` (byte for byte as published), `latest.json`, `manifests/<sha256>.json`,
// `sets/<sha256>.json`, `objects/<blake3>` (an archive as it came), the pointers `current`, `previous` and `staged`,
// `boot.json` (how starts went), `clock.json`.

import { sha256, text } from "./bytes.js";
import { WithRoot, notBack } from "./chain.js";
import { clock, Judge } from "./judge.js";
import { bucketOf, checkManifest, difference, filesOf, graceOf, LAST, MAX, readManifest, refused, setOf } from "./manifest.js";
import { mismatch } from "./roles.js";
import { sealed, Shelf } from "./shelf.js";
import { starts } from "./starts.js";
import { instant } from "./time.js";
import { Transport } from "./transport.js";
import { Trouble } from "./trouble.js";
import { MAX as MAX_METADATA, Updater } from "./updater.js";
import { BadArchive, treeDigest, unpack } from "./zip.js";

/** How many archives are fetched at a time. */
const DOWNLOADS = 4;

/** How many bytes of archives a first start fetches before a manifest asks for them: what takes no longer than asking. */
const GUESSED = 100_000;

/** How long until the next check: at most, at least, and after an old copy was served; in seconds. */
const CHECK = { every: 3600, notBefore: 60, stale: 300 };

export class Client {
  /**
   * Opens a shelf for one tenant; what another tenant left there is emptied first.
   * `config`: `addr`, `base` (URL of the CDN), `root` (bytes of the root to trust), `platform`, `store`, and perhaps
   * `pace`, `built` (an instant before which no clock is believed to be), `keeps` (names that outlive a tenant).
   */
  static async open(config) {
    const { root } = await WithRoot.pinned(config.root).catch((error) => {
      throw new Trouble("configuration", `the root that this shell was given cannot be used: ${error.message}`);
    });
    if (!root.mark) throw new Trouble("configuration", "the root that this shell was given names no environment");
    const client = new Client(config, root.mark.environment);
    const tenant = { addr: config.addr, environment: root.mark.environment };
    const there = await client.shelf.small("tenant.json");
    if (there?.addr !== tenant.addr || there.environment !== tenant.environment) {
      const kept = await Promise.all((config.keeps ?? []).map(async (name) => [name, await config.store.load(name)]));
      await config.store.empty(new Map([await sealed("tenant.json", tenant), ...kept.filter(([, value]) => value !== null)]));
    }
    return client;
  }

  constructor(config, environment) {
    this.config = config;
    this.binding = { addr: config.addr, environment };
    this.store = config.store;
    this.shelf = new Shelf(config.store);
    this.arriving = new Map();
    this.transport = null;
  }

  /** What may run, at once and from the shelf alone. What is wrong is in `notes`. */
  async start(now) {
    const stored = await this.stored();
    const { current, newest, known } = stored;
    const at = clock.forStart(known, now);
    const remembered = clock.remember(known, now);
    if (remembered !== null) await this.keepSmall("clock.json", { at: remembered }).catch(() => {});
    const judge = newest ? new Judge(newest.set, known.freshUntil, at) : null;
    const names = new Set(await this.store.names());
    const isThere = ({ release }) => filesOf(release).every((file) => names.has(`objects/${file.blake3}`));
    return {
      ...this.view(current?.set ?? null, judge, (program) => (isThere(program) ? "runs" : "not_installed")),
      now: at,
      publication: current?.publication ?? null,
      staleSince: stored.latest?.stale_since ?? null,
      notes: stored.notes,
    };
  }

  /** A set as a judge sees it; `state` says what is with a program that nothing speaks against. */
  view(set, judge, state) {
    const programs = (set?.programs ?? []).map((program) => {
      const verdict = judge.verdict(program, this.config.platform);
      return { ...program, verdict: verdict.is === "runs" ? { is: state(program) } : verdict };
    });
    return { set, programs, freshness: judge?.freshness ?? { state: "nothing", until: null }, nextChange: judge?.nextChange ?? null };
  }

  /** Reads every archive of the current set; those that are damaged are taken away. Their programs' `app_id`s. */
  async examine() {
    const { current } = await this.stored();
    const damaged = [];
    for (const program of current?.set.programs ?? []) {
      for (const file of filesOf(program.release)) {
        const bytes = await this.store.load(`objects/${file.blake3}`);
        if (bytes && (await sha256(bytes)) !== file.sha256) {
          await this.store.change({ remove: [`objects/${file.blake3}`] });
          damaged.push(program.app_id);
        }
      }
    }
    return damaged;
  }

  /** The files of a program, the overlay's over the bundle's; each archive is verified now. */
  async files(program) {
    const files = new Map();
    for (const file of filesOf(program.release)) {
      const bytes = await this.store.load(`objects/${file.blake3}`);
      if (!bytes) throw new Trouble("missing", `\`${program.app_id}\` is not on this device`);
      for (const [path, content] of await unpacked(file, bytes)) files.set(path, content);
    }
    return files;
  }

  /**
   * Newest metadata and manifest, then the archives that are missing; a new set is staged. Or all stays as it was.
   * With `caches: "bypassed"`, none is asked for what changes: one may hold something wrong under the right `ETag`.
   * `early` is for `Transport`. On a device that has no set, `foretold` is called with what `start` will say, before
   * the archives are here: the manifest is verified, programs are `arriving`, and `obtain` gets one before its turn.
   */
  async refresh(now, { caches = "revalidated", early, foretold = () => {} } = {}) {
    const transport = new Transport(this.config.base, this.config.pace, early);
    transport.mutable = caches;
    this.transport = transport;
    try {
      return await this.refreshed(now, transport, foretold);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      error.kept = (await this.stored()).current?.publication ?? null;
      error.traffic = transport.traffic;
      throw error;
    } finally {
      transport.close();
      this.transport = null;
    }
  }

  /** Another page may have given the shelf to another tenant; then nothing more is written here. */
  async checkShelf() {
    const tenant = await this.shelf.small("tenant.json");
    if (tenant?.addr !== this.binding.addr || tenant.environment !== this.binding.environment) {
      throw new Trouble("busy", "this browser shows another organisation by now");
    }
  }

  async refreshed(now, transport, foretold) {
    await this.checkShelf();
    const before = await this.stored();
    const news = await this.news(before, now, transport);
    const wanted = await setOf(news.manifest, this.config.platform, await this.bucket(news.manifest, "named"));
    const isCurrent = before.current?.id === wanted.id;
    const at = clock.forStart(before.known, now);
    const judge = new Judge(wanted.set, news.freshUntil, at);
    const state = ({ preload }) => (preload ? "arriving" : "not_installed");
    if (!before.current) foretold({ ...this.view(wanted.set, judge, state), now: at, publication: news.manifest.publication, staleSince: null, notes: [] });
    const heldBack = starts.heldBack(before.boot, wanted.id, now);
    const stays = isCurrent || heldBack !== null;
    const missing = heldBack === null ? await this.fetchAll(before.current?.set, wanted.set, transport) : [];
    const staged = { id: wanted.id, publication: news.manifest.publication, freshUntil: news.freshUntil };
    const put = stays ? [] : [[`sets/${wanted.id}.json`, wanted.bytes], await pointer("staged", staged)];
    await this.store.change({ put: new Map(put), remove: stays ? ["staged"] : [] });
    await this.sweep();
    return {
      publication: news.manifest.publication,
      staged: stays ? null : wanted.id,
      heldBack,
      ...difference(before.current?.set, wanted.set),
      missing,
      stale: news.stale,
      freshUntil: news.freshUntil,
      nextCheck: now + nextCheck(now, news, judge),
      traffic: transport.traffic,
    };
  }

  /** The staged set is the current one from now on. Whether there was one. */
  async activate() {
    await this.checkShelf();
    const { staged, current, previous, boot } = await this.stored();
    if (!staged) return false;
    const put = [await pointer("current", staged), await sealed("boot.json", starts.activated(boot, staged.id))];
    // What one can go back to is the last set that is known to start.
    if (current && (starts.isConfirmed(boot, current.id) || !previous)) put.push(await pointer("previous", current));
    await this.store.change({ put: new Map(put), remove: ["staged"], durability: "strict" });
    await this.sweep();
    return true;
  }

  /**
   * To be called before a set is shown for the first time. One that was shown twice and never confirmed is given up:
   * whether the set before it is the current one again. What cannot be written is no reason not to start.
   */
  async countStart(now) {
    const [shown, known] = await Promise.all([this.shelf.small("current"), this.boot()]);
    if (shown && starts.isConfirmed(known, shown.set)) return false;
    const { current, previous, boot } = await this.stored();
    if (!current || starts.isConfirmed(boot, current.id)) return false;
    const isBack = previous !== null && starts.hasFailed(boot, current.id);
    const next = isBack ? starts.givenUp(boot, current.id, previous.id, now) : starts.counted(boot, current.id);
    const put = [await sealed("boot.json", next), ...(isBack ? [await pointer("current", previous)] : [])];
    const change = { put: new Map(put), remove: isBack ? ["previous"] : [], durability: "strict" };
    return this.store.change(change).then(() => isBack, () => false);
  }

  /** What is shown came up: the set before it is not needed any more. */
  async confirmStart() {
    const { current, boot } = await this.stored();
    if (!current || starts.isConfirmed(boot, current.id)) return;
    await this.store.change({ put: new Map([await sealed("boot.json", starts.confirmed(boot, current.id))]), remove: ["previous"] });
    await this.sweep();
  }

  /** Sees to it that the files of a program are here; those that are on their way are waited for. */
  async obtain({ release }) {
    const transport = this.transport ?? new Transport(this.config.base, this.config.pace);
    const lacks = async (file) => (await this.store.load(`objects/${file.blake3}`)) === null;
    await Promise.all(filesOf(release).map(async (file) => (await lacks(file)) && this.fetch(file, transport)));
  }

  /** Metadata and manifest, brought up to date, verified and kept. */
  async news(before, clockNow, transport) {
    const now = clock.forRefresh(before.known, clockNow);
    const updater = await Updater.open(new Repository(transport, this.config.addr), this.shelf, this.config.root);
    const refreshed = await updater.boundTo(this.binding).refresh(now);
    const { timestamp, snapshot, targets } = updater.trusted;
    const floor = { targets: targets.version, timestamp: timestamp.version };
    // `trust` sees to it as long as its files are whole; this is for when they were damaged. Read again, since a root
    // that took a key away has lifted it meanwhile.
    const known = (await this.shelf.small("latest.json"))?.floor ?? { targets: 0, timestamp: 0 };
    Object.keys(floor).forEach((role) => notBack(role, role, known[role], floor[role]));
    const { manifest, digest } = await this.manifest(targets, before, transport);
    const freshUntil = Math.min(timestamp.expires, snapshot.expires, targets.expires);
    const stale = typeof refreshed === "object" ? refreshed : null;
    const latest = {
      floor,
      fresh_until: freshUntil,
      manifest: digest,
      publication: manifest.publication,
      stale_since: stale ? (before.latest?.stale_since ?? clockNow) : null,
    };
    if (JSON.stringify(before.latest) !== JSON.stringify(latest)) await this.keepSmall("latest.json", latest);
    // A newer signature of the vendor overrules what was remembered of the time.
    const dates = { ...before.known, freshUntil, graceUntil: freshUntil + graceOf(manifest) };
    const remembered = refreshed === "updated" ? now : clock.remember(dates, clockNow);
    if (remembered !== null && remembered !== before.known.seen) await this.keepSmall("clock.json", { at: remembered });
    return { manifest, freshUntil, stale };
  }

  /** The manifest that the targets name: from the shelf if it is there, else from the server. */
  async manifest(targets, before, transport) {
    const name = `${this.config.addr}.manifest.json`;
    const target = targets.targets.get(name);
    const digest = target?.hashes.get("sha256");
    if (!target) throw refused(`\`${name}\` is not among the targets`);
    if (!/^[0-9a-f]{64}$/.test(digest)) throw refused(`\`${name}\` has no SHA-256`);
    if (target.length > MAX.manifest) throw refused(`it has ${target.length} bytes, more than this shell reads`);
    if (before.latest?.manifest === digest && before.newest?.manifest) {
      checkManifest(before.newest.manifest, targets, this.binding);
      return { manifest: before.newest.manifest, digest };
    }
    const path = `o/${digest}.${name}`;
    if (!before.current) this.guess(path, target, targets, transport);
    const bytes = await twice(path, async (caches) => {
      const bytes = await transport.get(path, target.length, caches);
      return [bytes, bytes && (await mismatch(target, bytes))];
    });
    const manifest = readManifest(bytes);
    checkManifest(manifest, targets, this.binding);
    await this.store.change({ put: new Map([[`manifests/${digest}.json`, bytes]]) });
    return { manifest, digest };
  }

  /**
   * On a device that has nothing, the manifest comes together with the archives, as long as there is little of them:
   * most of what a tenant's targets name is about to be asked for.
   */
  guess(path, manifest, { targets }, transport) {
    transport.ahead(path, manifest.length, "allowed");
    const archives = [...targets].filter(([name, { hashes }]) => /^[0-9a-f]{64}$/.test(name) && /^[0-9a-f]{64}$/.test(hashes.get("sha256")));
    if (archives.reduce((sum, [, { length }]) => sum + length, 0) > GUESSED) return;
    archives.forEach(([name, { hashes, length }]) => transport.ahead(`o/${hashes.get("sha256")}.${name}`, length, "allowed"));
  }

  /** Fetches what a set asks for and is not here. What is to be there before it is asked for must come. */
  async fetchAll(before, wanted, transport) {
    const names = new Set(await this.store.names());
    const isHere = (file) => names.has(`objects/${file.blake3}`);
    const wasHere = ({ app_id }) => {
      const release = before?.programs.find((it) => it.app_id === app_id)?.release;
      return release && filesOf(release).every(isHere);
    };
    const needed = wanted.programs.filter((it) => it.preload);
    const optional = wanted.programs.filter((it) => !it.preload && wasHere(it));
    const missing = (programs) => {
      const files = programs.flatMap((it) => filesOf(it.release)).filter((it) => !isHere(it));
      return [...new Map(files.map((file) => [file.blake3, file])).values()];
    };
    await Promise.all(hands(missing(needed), (file) => this.fetch(file, transport)));
    const lacking = [];
    for (const program of optional) {
      try {
        for (const file of missing([program])) await this.fetch(file, transport);
      } catch (error) {
        lacking.push({ app_id: program.app_id, error });
      }
    }
    return lacking;
  }

  /** Fetches one archive, and keeps it when it is what was signed for. Whoever else wants it meanwhile waits along. */
  fetch(file, transport) {
    if (!this.arriving.has(file.blake3)) {
      const arrival = this.fetched(file, transport).finally(() => this.arriving.delete(file.blake3));
      this.arriving.set(file.blake3, arrival);
    }
    return this.arriving.get(file.blake3);
  }

  async fetched(file, transport) {
    const path = `o/${file.sha256}.${file.blake3}`;
    const bytes = await twice(path, async (caches) => {
      const bytes = await transport.resumed(path, file.length, caches);
      return [bytes, bytes && (await unpacked(file, bytes).then(() => null, (error) => error.why ?? error.message))];
    });
    await this.store.change({ put: new Map([[`objects/${file.blake3}`, bytes]]) });
  }

  /** Takes away what no pointer leads to. */
  async sweep() {
    const { current, previous, staged, latest } = await this.stored();
    const sets = [current, previous, staged].filter((it) => it !== null);
    const kept = new Set(sets.flatMap(({ id, set }) => {
      const objects = set.programs.flatMap((it) => filesOf(it.release)).map((file) => `objects/${file.blake3}`);
      return [`sets/${id}.json`, ...objects];
    }));
    if (latest) kept.add(`manifests/${latest.manifest}.json`);
    const isOurs = (name) => /^(sets|objects|manifests)\//.test(name);
    const remove = (await this.store.names()).filter((name) => isOurs(name) && !kept.has(name));
    if (remove.length > 0) await this.store.change({ remove });
  }

  /**
   * Where this device stands among those of its tenant. It gives itself a name when that first matters, and keeps it;
   * before that it stands last, and has what all have.
   */
  async bucket(manifest, named) {
    if (!(manifest.cohorts ?? []).length) return LAST;
    let unit = this.config.unit ?? (await this.shelf.small("device.json"))?.unit;
    if (unit === undefined && named) {
      unit = crypto.randomUUID();
      await this.store.change({ put: new Map([await sealed("device.json", { unit })]) });
    }
    return unit === undefined ? LAST : bucketOf(this.config.addr, unit);
  }

  /** Everything that is remembered, and what to make of damage. Nothing in it fails: what is damaged is left out. */
  async stored() {
    const notes = [];
    const newest = async () => {
      const latest = await this.shelf.small("latest.json");
      return [latest, latest && (await this.newestManifest(latest))];
    };
    // Side by side, since the first screen waits for all of them.
    const [[latest, manifest], seen, current, previous, staged, boot] = await Promise.all([
      newest(), this.shelf.small("clock.json"), this.set("current"), this.set("previous"), this.set("staged"), this.boot(),
    ]);
    if (latest && !manifest) notes.push("the newest manifest is damaged; what is installed counts until the next refresh");
    const set = manifest ? (await setOf(manifest, this.config.platform, await this.bucket(manifest))).set : current?.set;
    const freshUntil = manifest ? latest.fresh_until : (current?.freshUntil ?? null);
    const known = {
      seen: seen?.at ?? null,
      least: Math.max(manifest ? instant(manifest.issued) : 0, this.config.built ?? 0),
      freshUntil,
      graceUntil: set && freshUntil !== null ? freshUntil + graceOf(set) : null,
    };
    return { latest, current, previous, staged, boot, newest: set ? { set, manifest } : null, known, notes };
  }

  /** How starts went. */
  async boot() {
    return (await this.shelf.small("boot.json")) ?? starts.none;
  }

  async newestManifest(latest) {
    const bytes = await this.store.load(`manifests/${latest.manifest}.json`);
    if (!bytes || (await sha256(bytes)) !== latest.manifest) return null;
    const manifest = readManifest(bytes);
    return manifest.addr === this.config.addr ? manifest : null;
  }

  async set(name) {
    const pointer = await this.shelf.small(name);
    const bytes = pointer && (await this.store.load(`sets/${pointer.set}.json`));
    if (!bytes || (await sha256(bytes)) !== pointer.set) return null;
    const set = JSON.parse(text(bytes));
    if (set.addr !== this.config.addr || set.platform !== this.config.platform) return null;
    return { id: pointer.set, publication: pointer.publication, freshUntil: pointer.fresh_until, set };
  }

  async keepSmall(name, value) {
    await this.store.change({ put: new Map([await sealed(name, value)]) });
  }
}

/** Which set it is that a pointer leads to. */
const pointer = (name, { id: set, publication, freshUntil: fresh_until }) => sealed(name, { set, publication, fresh_until });

/** Metadata of one tenant. Roots come from the place that all tenants share. */
class Repository {
  constructor(transport, addr) {
    this.transport = transport;
    this.addr = addr;
  }

  async metadata({ role, name, max, caches }) {
    // The first root is asked for together with the timestamp: on a phone a request takes as long as a page.
    if (role === "root" && this.transport.traffic.requests === 0) {
      this.transport.ahead(`t/${this.addr}/timestamp.json`, MAX_METADATA.timestamp, this.transport.mutable);
    }
    const isMutable = role === "root" || role === "timestamp";
    return this.get(this.path(role, name), max, caches === "allowed" && isMutable ? this.transport.mutable : caches);
  }

  /** Begins with something that will be asked for, or so it is guessed. */
  ahead({ role, name, max }) {
    this.transport.ahead(this.path(role, name), max, "allowed");
  }

  path(role, name) {
    return (role === "root" ? "root/" : `t/${this.addr}/`) + name;
  }

  async get(path, max, caches) {
    const bytes = await this.transport.get(path, max, caches);
    // No file of ours begins like HTML.
    const first = bytes?.find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
    if (first === 0x3c) throw new Trouble("not-our-server", `\`${path}\`: a page came where a file was asked for`, { path });
    return bytes;
  }
}

/** The files of an archive that is what was signed for. */
async function unpacked(file, bytes) {
  const damaged = (why) => new Trouble("damaged", `\`${file.target}\` is not what was signed for: ${why}`, { why });
  if (bytes.length !== file.length) throw damaged(`it has ${bytes.length} bytes, not ${file.length}`);
  if ((await sha256(bytes)) !== file.sha256) throw damaged("its SHA-256 is another");
  const files = await unpack(bytes).catch((error) => {
    throw error instanceof BadArchive ? damaged(error.message) : error;
  });
  if (treeDigest(files) !== file.blake3) throw damaged("its files are not those of its name");
  return files;
}

/** Asks for a file; one that is not there or not the right one is asked for once more, past every cache. */
async function twice(path, get) {
  const once = async (caches) => {
    const [bytes, why] = await get(caches);
    if (bytes === null) throw new Trouble("missing", `\`${path}\` is not there, though signed metadata names it`, { path });
    if (why) throw new Trouble("damaged", `\`${path}\` is not what was signed for: ${why}`, { path });
    return bytes;
  };
  try {
    return await once("allowed");
  } catch (error) {
    if (!["missing", "damaged", "too-long"].includes(error.code)) throw error;
    return once("bypassed");
  }
}

/** Works through a list with several hands. After a failure nothing more is begun. */
function hands(list, work) {
  const queue = [...list];
  const hand = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await work(next).catch((error) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  return Array.from({ length: Math.min(DOWNLOADS, list.length) }, hand);
}

function nextCheck(now, news, judge) {
  const longest = news.stale ? CHECK.stale : CHECK.every;
  const left = Math.floor((news.freshUntil - now) / 2);
  const change = judge.nextChange === null ? longest : judge.nextChange - now;
  return Math.max(CHECK.notBefore, Math.min(longest, left, change));
}
