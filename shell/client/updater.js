// The client's workflow (TUF 1.0.34, section 5), as `src/trust/updater.rs` has it: over something that fetches and
// something that keeps. What is kept after a step was verified completely in that step; of a step that fails, nothing.

import { equal } from "./bytes.js";
import { snapshotFollows, timestampFollows, WithRoot } from "./chain.js";
import { mismatch } from "./roles.js";
import { Trouble } from "./trouble.js";

/** Longest files that are read, in bytes, where nothing signed says how long they are. */
export const MAX = { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000, metadata: 50_000_000 };

/** Most new roots that one refresh follows. */
const MAX_ROTATIONS = 256;

export class Updater {
  /**
   * A client that trusts this root, the one that was delivered with it. Newer roots on the shelf count only if the
   * chain from it leads to them: all are verified again here. Nothing is fetched or written.
   */
  static async open(repository, shelf, pinned) {
    const updater = new Updater();
    Object.assign(updater, { repository, shelf, root: await WithRoot.pinned(pinned), rootBytes: pinned, trusted: null });
    while (await updater.followShelf());
    return updater;
  }

  /** Takes one tenant's files only; refuses a root of another environment. */
  boundTo(binding) {
    this.root = this.root.boundTo(binding);
    return this;
  }

  /**
   * Brings root, timestamp, snapshot and targets up to date, all judged at one instant. Gives `updated`, `unchanged`,
   * or `{ trusted, served }` when an older timestamp was served: a cache had not caught up, and what was trusted stays.
   */
  async refresh(now) {
    this.trusted = null;
    await this.followRepository("allowed");
    this.root.check(now);
    try {
      return await this.refreshRoles(now, "allowed");
    } catch (error) {
      if (error.code !== "signatures") throw error;
      // A key may have changed with a root of which a cache says that it is not there: asked once more, past caches.
      const known = this.root.root.version;
      await this.followRepository("bypassed");
      if (this.root.root.version === known) throw error;
      this.root.check(now);
      const refreshed = await this.refreshRoles(now, "bypassed");
      return refreshed === "unchanged" ? "updated" : refreshed;
    }
  }

  /** Verifies again what is on the shelf, without the network and without judging dates. Whether it is whole. */
  async recall() {
    this.trusted = null;
    const load = (role) => this.shelf.load(`trusted/${role}.json`);
    const [timestamp, snapshot, targets] = await Promise.all(["timestamp", "snapshot", "targets"].map(load));
    if (!timestamp || !snapshot || !targets) return false;
    try {
      const dated = this.root.withTimestamp(await this.root.timestamp(timestamp), null);
      const named = dated.withSnapshot(await dated.snapshot(snapshot), null);
      this.trust(named, await named.targets(targets, null));
      return true;
    } catch (error) {
      if (error instanceof Trouble) return false;
      throw error;
    }
  }

  trust(set, targets) {
    this.trusted = { root: this.root.root, timestamp: set.before.timestamp, snapshot: set.snapshot, targets };
  }

  /** Takes one more root from the shelf, if it follows. */
  async followShelf() {
    for (const name of [`trusted/root_history/${this.nextVersion}.root.json`, "trusted/root.json"]) {
      const bytes = await this.shelf.load(name);
      const next = bytes && (await this.root.next(bytes).catch(refusal));
      if (next) {
        [this.root, this.rootBytes] = [next, bytes];
        return true;
      }
    }
    return false;
  }

  get nextVersion() {
    return this.root.root.version + 1;
  }

  /** Fetches newer roots until there is none (5.3). */
  async followRepository(caches) {
    for (let rotation = 0; rotation < MAX_ROTATIONS; rotation += 1) {
      if (await this.followShelf()) continue;
      const name = `${this.nextVersion}.root.json`;
      const bytes = await this.repository.metadata({ role: "root", name, max: MAX.root, caches });
      if (bytes === null) return this.keepRoot();
      const next = await this.root.next(bytes);
      // First the floors go and then the root comes: stopped in between, the next refresh comes here again.
      if (this.root.revokes(next)) await this.shelf.forget(["trusted/timestamp.json", "trusted/snapshot.json"]);
      [this.root, this.rootBytes] = [next, bytes];
      await this.keepRoot();
    }
    throw new Trouble("many-roots", "there are more new roots than one refresh follows");
  }

  async keepRoot() {
    for (const name of [`trusted/root_history/${this.root.root.version}.root.json`, "trusted/root.json"]) {
      const there = await this.shelf.load(name);
      if (!there || !equal(there, this.rootBytes)) await this.shelf.keep(name, this.rootBytes);
    }
  }

  async refreshRoles(now, caches) {
    const { refreshed, set } = await this.refreshTimestamp(now, caches);
    const named = await this.refreshSnapshot(set, now);
    this.trust(named, await this.refreshTargets(named, now));
    return refreshed;
  }

  /** The newest timestamp that is trusted (5.4). */
  async refreshTimestamp(now, caches) {
    const bytes = await this.shelf.load("trusted/timestamp.json");
    // One that does not verify any more is no floor: its keys have changed, or it is damaged.
    const held = bytes && (await this.root.timestamp(bytes).catch(refusal));
    const request = { role: "timestamp", name: "timestamp.json", max: MAX.timestamp, caches };
    const came = await this.repository.metadata(request);
    if (came === null) throw missing("timestamp.json");
    const served = await this.root.timestamp(came);
    if (held && served.version <= held.version) {
      const refreshed = served.version === held.version ? "unchanged" : { trusted: held.version, served: served.version };
      return { refreshed, set: this.root.withTimestamp(held, now) };
    }
    if (held) timestampFollows(served, held);
    const set = this.root.withTimestamp(served, now);
    await this.shelf.keep("trusted/timestamp.json", came);
    return { refreshed: "updated", set };
  }

  /** The snapshot that the timestamp names (5.5). */
  async refreshSnapshot(set, now) {
    const held = await this.shelf.load("trusted/snapshot.json");
    const current = held && (await set.snapshot(held).catch(refusal));
    if (current) return set.withSnapshot(current, now);
    this.guess(set.timestamp.snapshot);
    const bytes = await this.fetchPinned("snapshot", set.timestamp.snapshot);
    const snapshot = await set.snapshot(bytes);
    // Whatever has expired, and whatever the timestamp says now: what was trusted before holds back older ones.
    const before = held && (await set.snapshotBefore(held).catch(refusal));
    if (before) snapshotFollows(snapshot, before);
    const next = set.withSnapshot(snapshot, now);
    await this.shelf.keep("trusted/snapshot.json", bytes);
    return next;
  }

  /**
   * Roles that are signed together have one number, so the targets are asked for before the snapshot has named them. A
   * wrong guess is a file that nobody takes up: it is believed only once the snapshot names it.
   */
  guess({ version }) {
    if (this.root.root.consistentSnapshot) this.repository.ahead?.({ role: "targets", name: `${version}.targets.json`, max: MAX.targets });
  }

  /** The targets that the snapshot names (5.6). */
  async refreshTargets(set, now) {
    const held = await this.shelf.load("trusted/targets.json");
    const current = held && (await set.targets(held, now).catch(refusal));
    if (current) return current;
    const bytes = await this.fetchPinned("targets", set.pin);
    const targets = await set.targets(bytes, now);
    await this.shelf.keep("trusted/targets.json", bytes);
    return targets;
  }

  /** A file by the version that another one names. What is not that file is asked for once more, past all caches. */
  async fetchPinned(role, pin) {
    const name = this.root.root.consistentSnapshot ? `${pin.version}.${role}.json` : `${role}.json`;
    const max = pin.length ?? MAX[role];
    if (max > MAX.metadata) throw new Trouble("too-long", `\`${name}\` is said to have ${max} bytes`, { role });
    const fetch = async (caches) => {
      const bytes = await this.repository.metadata({ role, name, max, caches });
      if (bytes === null) throw missing(name);
      return bytes;
    };
    const again = (error) => {
      if (["missing", "too-long"].includes(error.code)) return fetch("bypassed");
      throw error;
    };
    const bytes = await fetch("allowed").catch(again);
    return (await mismatch(pin, bytes)) === null ? bytes : fetch("bypassed");
  }
}

const missing = (path) => new Trouble("missing", `\`${path}\` is not there, though signed metadata names it`, { path });

/** Null for what is not trusted. */
function refusal(error) {
  if (error instanceof Trouble) return null;
  throw error;
}
