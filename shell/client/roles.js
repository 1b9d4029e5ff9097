// The roles as the standard has them (TUF 1.0.34, section 4), as `src/trust/roles.rs` reads them. Fields that we do not
// know are let be. Delegations are not read: the publications that this client follows have none, and what is named by
// nobody but a delegated role is not found here.

import { sha256, sha512 } from "./bytes.js";
import { bad, Fields } from "./json.js";
import { readKey } from "./keys.js";
import { instant } from "./time.js";

/** Reads what a role says; `type` is the role that it must be. */
export async function readRole(signed, type) {
  const fields = new Fields(signed, "signed");
  if (fields.text("_type") !== type) throw bad("_type", "that of this role");
  return { ...common(fields), ...(await BODY[type](fields)) };
}

const BODY = {
  root: async (fields) => {
    const [keys, roles] = [await readKeys(fields.map("keys")), fields.map("roles")];
    const authority = (role) => new Authority(roles.map(role), keys);
    return {
      // Left out in files from before it was thought of.
      consistentSnapshot: fields.get("consistent_snapshot") !== undefined && fields.boolean("consistent_snapshot"),
      root: authority("root"),
      timestamp: authority("timestamp"),
      snapshot: authority("snapshot"),
      targets: authority("targets"),
    };
  },
  timestamp: async (fields) => ({ snapshot: metaFile(fields.map("meta").map("snapshot.json")) }),
  snapshot: async (fields) => {
    const meta = entries(fields.map("meta"), metaFile);
    if (!meta.has("targets.json")) throw bad("targets.json", "named");
    return { meta };
  },
  targets: async (fields) => ({ targets: entries(fields.map("targets"), targetFile) }),
};

function common(fields) {
  const parts = fields.text("spec_version").split(".");
  const follows1 = [2, 3].includes(parts.length) && parts.every((it) => /^[0-9]+$/.test(it)) && parts[0] === "1";
  if (!follows1) throw bad("spec_version", "1.x");
  const expires = instant(fields.text("expires"));
  if (expires === null) throw bad("expires", "a time such as `2026-12-31T18:00:00Z`");
  return { version: fields.positive("version"), expires, mark: mark(fields.get("x-tenantry")) };
}

/** For whom a role was made; null when it does not say. */
function mark(json) {
  const text = (name) => (typeof json.get(name) === "string" ? json.get(name) : null);
  if (!(json instanceof Map) || text("environment") === null) return null;
  return { addr: text("addr"), environment: text("environment") };
}

const entries = (fields, read) => new Map(fields.entries().map(([name, file]) => [name, read(new Fields(file, name))]));

const metaFile = (fields) => ({
  version: fields.positive("version"),
  length: fields.get("length") === undefined ? null : fields.count("length"),
  hashes: fields.get("hashes") === undefined ? null : hashes(fields.map("hashes")),
});

const targetFile = (fields) => ({ length: fields.count("length"), hashes: hashes(fields.map("hashes")) });

const ALGORITHMS = { sha256, sha512 };

/** The hashes that we know, by name. A file that has others only is one that cannot be checked. */
function hashes(fields) {
  if (fields.entries().length === 0) throw bad("hashes", "a map with at least one hash");
  fields.entries().forEach(([name]) => fields.text(name));
  return new Map(fields.entries().filter(([name]) => Object.hasOwn(ALGORITHMS, name)));
}

/** Why bytes are not the file that was named; null when they are. */
export async function mismatch(named, bytes) {
  if (named.length !== null && bytes.length !== named.length) return `it has ${bytes.length} bytes, not ${named.length}`;
  if (named.hashes === null) return null;
  if (named.hashes.size === 0) return "none of its hashes is a SHA-256 or SHA-512";
  for (const [name, hash] of named.hashes) {
    if ((await ALGORITHMS[name](bytes)) !== hash) return `its ${name} is another`;
  }
  return null;
}

async function readKeys(fields) {
  const keys = await Promise.all(fields.entries().map(async ([id, key]) => [id, await readKey(key)]));
  return new Map(keys.filter(([, key]) => key !== null));
}

/** The keys that may sign for a role, and how many of them must. */
export class Authority {
  constructor(fields, all) {
    this.threshold = fields.positive("threshold");
    this.keys = new Map(fields.texts("keyids").filter((id) => all.has(id)).map((id) => [id, all.get(id)]));
  }

  /** How many different keys have signed; the one function that counts signatures. */
  async count(message, signatures) {
    const good = new Set();
    for (const [id, key] of this.keys) {
      const signature = signatures.get(id);
      if (signature && !good.has(key.public) && (await key.verifies(message, signature))) good.add(key.public);
    }
    return good.size;
  }

  /** Whether one of these keys is not among the next ones. */
  losesAKey(next) {
    const there = new Set([...next.keys.values()].map((key) => key.public));
    return [...this.keys.values()].some((key) => !there.has(key.public));
  }
}
