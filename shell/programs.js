// Programs on origins of their own: one for each program of a tenant on this device, so that no two share anything.
//
// The name of an origin is a digest of the tenant, a place and a key of this shell. A place is a random number, which
// is given to one program and to no other ever after; the shell signs with that key what the origin may serve and
// reach. See `frame/-worker.js` for why. Since a place is not named after its program, one can be set up before it is
// known which program will be opened first.

import { hex, label, sha256, utf8 } from "./client/bytes.js";

const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-modals";

/** How long an origin may take to answer, in milliseconds. */
const PATIENCE = 15_000;

/** How long the first page of a program may take before its origin is set up again, in milliseconds. */
const FIRST_PAGE = 4_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export class Programs {
  constructor({ frames, store, addr, client }) {
    Object.assign(this, { frames, store, addr, client, hosts: new Map(), turns: new Map() });
  }

  /** Sets up a place that belongs to nobody yet; the next program that needs one has it. */
  async anticipate() {
    await this.host(await this.named(await naming(async () => {
      const spare = (await this.store.load("spare-place")) ?? fresh();
      await this.store.change({ put: new Map([["spare-place", spare]]) });
      return spare;
    })));
  }

  /** Where a program runs. */
  async origin(app_id) {
    return this.named(await this.placeOf(app_id));
  }

  /** The place of a program; given to it now, if it has none. */
  async placeOf(app_id) {
    const name = `places/${app_id}`;
    const given = async () => {
      const there = await this.store.load(name);
      if (there) return there;
      const place = (await this.store.load("spare-place")) ?? fresh();
      await this.store.change({ put: new Map([[name, place]]), remove: ["spare-place"] });
      return place;
    };
    return (await this.store.load(name)) ?? naming(given);
  }

  async named(place) {
    const { raw } = await this.identity();
    const name = await label(utf8(`${this.addr}\n${place}\n${hex(raw)}`));
    return new URL(this.frames.replace("{label}", name)).origin;
  }

  /** The key of this shell on this device. It goes when the tenant does, and with it the names of all origins. */
  identity() {
    this.known ??= naming(async () => {
      const kept = await this.store.load("device-key");
      if (kept) return kept;
      const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
      const made = { pair, raw: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
      await this.store.change({ put: new Map([["device-key", made]]) });
      return made;
    });
    return this.known;
  }

  /** Opens a program in a frame, and ends when its first page is there. */
  async open(program, frame) {
    const [origin, kept] = await Promise.all([this.origin(program.app_id), this.kept(program)]);
    const [page] = program.release.pages;
    const shown = (prefix, patience) => {
      const greeting = said(frame, origin, (data) => data?.tenantry === "hello", patience);
      frame.src = `${origin}/${prefix}/${page}`;
      return greeting;
    };
    frame.setAttribute("sandbox", SANDBOX);
    if (kept) {
      if (await shown(kept.prefix, FIRST_PAGE).then(() => true, () => false)) return;
      await this.store.change({ remove: [`prepared/${program.app_id}`] });
    }
    const { prefix } = await this.place(program, origin);
    await shown(prefix, PATIENCE);
  }

  /** Brings a program to its origin, so that it starts at once and without the network. */
  async prepare(program) {
    if (!(await this.kept(program))) await this.place(program, await this.origin(program.app_id));
  }

  /** Leaves nothing of any program of this tenant. Origins that cannot be reached are named. */
  async wipe() {
    const names = (await this.store.names()).filter((name) => name.startsWith("places/") || name === "spare-place");
    const origins = await Promise.all(names.map(async (name) => this.named(await this.store.load(name))));
    const wiped = await Promise.allSettled(origins.map(wipe));
    return origins.filter((_, at) => wiped[at].status === "rejected");
  }

  async kept(program) {
    const kept = await this.store.load(`prepared/${program.app_id}`);
    return kept?.of === (await nameOf(program)) ? kept : null;
  }

  /** One after the other, where somebody opens what is just being prepared. */
  place(program, origin) {
    const turn = (this.turns.get(origin) ?? Promise.resolve()).then(async () => (await this.kept(program)) ?? this.bring(program, origin));
    this.turns.set(origin, turn.catch(() => {}));
    return turn;
  }

  async bring(program, origin) {
    const [host, { prefix, policy, files }] = await Promise.all([this.host(origin), this.packed(program)]);
    try {
      await ask(host, origin, { call: "store", prefix, policy, files });
    } finally {
      this.hosts.delete(origin);
      host.remove();
    }
    const kept = { of: await nameOf(program), prefix };
    await this.store.change({ put: new Map([[`prepared/${program.app_id}`, kept]]) });
    return kept;
  }

  /** The page of an origin that takes files. */
  host(origin) {
    if (!this.hosts.has(origin)) {
      const host = hosted(origin);
      host.catch(() => this.hosts.delete(origin));
      this.hosts.set(origin, host);
    }
    return this.hosts.get(origin);
  }

  /** The verified files, and a signed word on what they are and may reach. */
  async packed(program) {
    await this.client.obtain(program);
    const [files, place] = [await this.client.files(program), await this.placeOf(program.app_id)];
    const digests = await Promise.all([...files].map(async ([path, bytes]) => [path, await sha256(bytes)]));
    const { pair, raw } = await this.identity();
    const text = utf8(JSON.stringify({
      addr: this.addr,
      app_id: program.app_id,
      egress: program.release.egress,
      files: Object.fromEntries(digests),
      place,
      shell: location.origin,
      version: program.release.version,
    }));
    const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, pair.privateKey, text));
    return { prefix: (await sha256(text)).slice(0, 32), policy: { text, signature, key: raw }, files };
  }
}

/** What a program's place depends on. */
async function nameOf({ app_id, release: { bundle, overlay, egress } }) {
  return sha256(utf8(JSON.stringify([app_id, bundle.blake3, overlay?.blake3, egress, location.origin])));
}

/** A number that nobody else has. */
const fresh = () => hex(crypto.getRandomValues(new Uint8Array(16)));

/** Two pages of the shell never give one place to two programs. */
const naming = (work) => navigator.locks.request("tenantry naming", work);

/** Removes everything that an origin stores. */
export async function wipe(origin) {
  const host = await hosted(origin);
  await ask(host, origin, { call: "wipe" }).finally(() => host.remove());
}

/** The page of an origin that takes files, in a frame that nobody sees, once it is ready. */
async function hosted(origin) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "Preparing a program";
  frame.setAttribute("sandbox", SANDBOX);
  document.body.append(frame);
  try {
    const ready = said(frame, origin, (data) => data?.tenantry === "host", PATIENCE);
    frame.src = `${origin}/-/host.html`;
    const { failed } = await ready;
    if (failed) throw new Error(`the place of this program cannot be set up: ${failed}`);
    return frame;
  } catch (error) {
    frame.remove();
    throw error;
  }
}

function said(frame, origin, is, patience) {
  return new Promise((resolve, reject) => {
    const done = (finish, value) => {
      removeEventListener("message", listen);
      clearTimeout(timer);
      finish(value);
    };
    const listen = (event) => {
      if (event.source === frame.contentWindow && event.origin === origin && is(event.data)) done(resolve, event.data);
    };
    const timer = setTimeout(() => done(reject, new Error("the place of this program does not answer")), patience);
    addEventListener("message", listen);
  });
}

function ask(frame, origin, message) {
  const { port1, port2 } = new MessageChannel();
  frame.contentWindow.postMessage(message, origin, [port2]);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the place of this program does not answer")), PATIENCE);
    port1.onmessage = ({ data }) => {
      clearTimeout(timer);
      port1.close();
      if (data.failed) reject(new Error(data.failed));
      else resolve(data.done);
    };
  });
}
