// What may follow from what (TUF 1.0.34, sections 5.3 to 5.6), as `src/trust/set.rs` has it:
//
//   root ─▶ timestamp ─▶ snapshot ─▶ targets
//
// Every file comes through one door, `admit`, whichever role it is. Whoever adds a check adds it for all of them.

import { unhex } from "./bytes.js";
import { bad, BadShape, canonical, Fields, parse } from "./json.js";
import { mismatch, readRole } from "./roles.js";
import { spelled } from "./time.js";
import { Trouble } from "./trouble.js";

/** A file taken apart. */
function open(bytes) {
  const file = new Fields(parse(bytes), "the file");
  if (file.get("signed") === undefined) throw bad("signed", "a map");
  const signatures = new Map();
  for (const entry of file.list("signatures")) {
    const fields = new Fields(entry, "signatures");
    const [id, signature] = [fields.text("keyid"), unhex(fields.text("sig"))];
    if (signatures.has(id)) throw bad("signatures", "a list in which each key id is there once");
    signatures.set(id, signature);
  }
  return { signed: file.get("signed"), signatures };
}

/** Length, hashes, shape, tenant, signatures, version, in this order. */
async function admit(role, bytes, { authority, pin = null, binding = null }) {
  const differs = pin && (await mismatch(pin, bytes));
  if (differs) throw new Trouble("mixed-up", `the ${role} file is not the one that was signed for: ${differs}`, { role });
  const { envelope, read } = await shaped(role, bytes);
  if (binding) checkTenant(role, read, binding);
  const { keys, threshold } = { keys: authority ?? read.root, threshold: (authority ?? read.root).threshold };
  const good = await keys.count(canonical(envelope.signed), envelope.signatures);
  if (good < threshold) throw new Trouble("signatures", `${good} of ${threshold} keys have signed the ${role} file`, { role });
  if (pin && pin.version !== read.version) throw wrongVersion(role, pin.version, read.version);
  return read;
}

async function shaped(role, bytes) {
  try {
    const envelope = open(bytes);
    return { envelope, read: await readRole(envelope.signed, role) };
  } catch (error) {
    if (error instanceof BadShape) throw new Trouble("not-metadata", `this is not ${role} metadata: ${error.message}`, { role });
    throw error;
  }
}

function checkTenant(role, read, binding) {
  const found = foreign(role, read.mark, binding);
  if (found) throw new Trouble("foreign-tenant", `the ${role} file was made for another tenant or environment (${found})`, { role });
}

function foreign(role, mark, binding) {
  if (!mark) return "it names none";
  if (mark.environment !== binding.environment) return `environment "${mark.environment}"`;
  // A root is shared by all tenants.
  if (role === "root" || mark.addr === binding.addr) return null;
  return mark.addr === null ? "it names no address" : `address "${mark.addr}"`;
}

const wrongVersion = (role, expected, found) =>
  new Trouble("version", `the ${role} file is version ${found}, expected ${expected}`, { role });

/** Refuses a number that fell. */
export function notBack(role, of, trusted, found) {
  if (found >= trusted) return;
  const what = `the ${role} file goes back to version ${found} of ${of}; version ${trusted} was trusted before`;
  throw new Trouble("rollback", what, { role });
}

/** Refuses what has expired at an instant. Without one, dates are not judged. */
function checkFresh(role, read, now) {
  if (now === null || read.expires > now) return;
  throw new Trouble("expired", `the ${role} file expired on ${spelled(read.expires)}`, { role, at: read.expires });
}

/** A root is trusted. Whether it has expired is nobody's business until the next step: it still leads to the newest. */
export class WithRoot {
  constructor(root, binding) {
    this.root = root;
    this.binding = binding;
  }

  /** A root that is trusted because of where it comes from. It must still have signed itself. */
  static async pinned(bytes) {
    return new WithRoot(await admit("root", bytes, {}), null);
  }

  /** From here on only this tenant's files: `{ addr, environment }`. */
  boundTo(binding) {
    checkTenant("root", this.root, binding);
    return new WithRoot(this.root, binding);
  }

  /** The next root: one version on, signed by enough keys of this one and of itself (5.3.4, 5.3.5). */
  async next(bytes) {
    const { binding } = this;
    await admit("root", bytes, { authority: this.root.root, binding });
    const next = await admit("root", bytes, { binding });
    if (next.version !== this.root.version + 1) throw wrongVersion("root", this.root.version + 1, next.version);
    return new WithRoot(next, binding);
  }

  /** Whether the next root takes a key from timestamp or snapshot: their old files may be anybody's (5.3.11). */
  revokes(next) {
    return ["timestamp", "snapshot"].some((role) => this.root[role].losesAKey(next.root[role]));
  }

  /** Refuses a root that has expired (5.3.10). */
  check(now) {
    checkFresh("root", this.root, now);
  }

  /** A timestamp, of now or of before. */
  timestamp(bytes) {
    return admit("timestamp", bytes, { authority: this.root.timestamp, binding: this.binding });
  }

  /** Goes on with this timestamp. */
  withTimestamp(timestamp, now) {
    this.check(now);
    checkFresh("timestamp", timestamp, now);
    return new WithTimestamp(this, timestamp);
  }
}

/** Root and timestamp are trusted, and have not expired. */
class WithTimestamp {
  constructor(before, timestamp) {
    this.before = before;
    this.timestamp = timestamp;
  }

  /** The snapshot that the timestamp names. */
  snapshot(bytes) {
    return this.admit(bytes, this.timestamp.snapshot);
  }

  /** A snapshot that was trusted before: it holds back older ones, and is not trusted any more. */
  snapshotBefore(bytes) {
    return this.admit(bytes, null);
  }

  admit(bytes, pin) {
    return admit("snapshot", bytes, { authority: this.before.root.snapshot, pin, binding: this.before.binding });
  }

  /** Goes on with this snapshot. */
  withSnapshot(snapshot, now) {
    checkFresh("snapshot", snapshot, now);
    return new WithSnapshot(this, snapshot);
  }
}

/** Root, timestamp and snapshot are trusted, and have not expired. */
class WithSnapshot {
  constructor(before, snapshot) {
    this.before = before;
    this.snapshot = snapshot;
  }

  /** How the snapshot names the targets. */
  get pin() {
    return this.snapshot.meta.get("targets.json");
  }

  /** The targets file that the snapshot names, not expired. */
  async targets(bytes, now) {
    const { root, binding } = this.before.before;
    const targets = await admit("targets", bytes, { authority: root.targets, pin: this.pin, binding });
    checkFresh("targets", targets, now);
    return targets;
  }
}

/** Refuses a timestamp that goes back behind the one that was trusted before (5.4.3). */
export function timestampFollows(timestamp, trusted) {
  notBack("timestamp", "timestamp", trusted.version, timestamp.version);
  notBack("timestamp", "snapshot.json", trusted.snapshot.version, timestamp.snapshot.version);
}

/** Refuses a snapshot that takes back, or no longer names, what the one before named (5.5.5). */
export function snapshotFollows(snapshot, before) {
  for (const [name, old] of before.meta) {
    const now = snapshot.meta.get(name);
    if (!now) throw new Trouble("rollback", `the snapshot file no longer names ${name}`, { role: "snapshot" });
    notBack("snapshot", name, old.version, now.version);
  }
}
