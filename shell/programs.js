// Programs on origins of their own: one for each program of a tenant on this device, so that no two share anything.
//
// The name of an origin is a digest of the tenant, the program and a key of this shell, and the shell signs with that
// key what the origin may serve and reach. See `frame/-worker.js` for why.

import { hex, label, sha256, utf8 } from "./client/bytes.js";

const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-modals";

/** How long an origin may take to answer, in milliseconds. */
const PATIENCE = 15_000;

/** How long the first page of a program may take before its origin is set up again, in milliseconds. */
const FIRST_PAGE = 4_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export class Programs {
  constructor({ frames, store, addr, client }) {
    Object.assign(this, { frames, store, addr, client });
  }

  /** Where a program runs. */
  async origin(app_id) {
    const { raw } = await this.identity();
    const name = await label(utf8(`${this.addr}\n${app_id}\n${hex(raw)}`));
    return new URL(this.frames.replace("{label}", name)).origin;
  }

  /** The key of this shell on this device. It goes when the tenant does, and with it the names of all origins. */
  identity() {
    this.known ??= (async () => {
      const kept = await this.store.load("device-key");
      if (kept) return kept;
      const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
      const made = { pair, raw: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
      await this.store.change({ put: new Map([["device-key", made]]) });
      return made;
    })();
    return this.known;
  }

  /** Opens a program in a frame, and says when its first page is there. */
  async open(program, frame) {
    const [origin, prepared] = [await this.origin(program.app_id), await this.kept(program)];
    const [page] = program.release.pages;
    frame.setAttribute("sandbox", SANDBOX);
    if (prepared) {
      const greeting = greeted(frame, origin, FIRST_PAGE);
      frame.src = `${origin}/${prepared.prefix}/${page}`;
      if (await greeting.then(() => true, () => false)) return origin;
    }
    const { prefix } = await this.place(program, frame, origin);
    const greeting = greeted(frame, origin, PATIENCE);
    await ask(frame, origin, { call: "open", path: `/${prefix}/${page}` }).catch(() => {});
    await greeting;
    return origin;
  }

  /** Brings a program to its origin, so that it starts at once and without the network. */
  async prepare(program) {
    const origin = await this.origin(program.app_id);
    const kept = await this.kept(program);
    if (kept?.isWhole) return;
    await aside(async (frame) => {
      const { of, prefix } = kept ?? (await this.place(program, frame, origin));
      if (kept) await hosted(frame, origin);
      await ask(frame, origin, { call: "keep" });
      await this.store.change({ put: new Map([[`prepared/${program.app_id}`, { of, prefix, isWhole: true }]]) });
    });
  }

  /** Leaves nothing of any program of this tenant. Origins that cannot be reached are named. */
  async wipe() {
    const names = (await this.store.names()).filter((name) => name.startsWith("prepared/"));
    const origins = await Promise.all(names.map((name) => this.origin(name.slice("prepared/".length))));
    const wiped = await Promise.allSettled(origins.map(wipe));
    return origins.filter((_, at) => wiped[at].status === "rejected");
  }

  async kept(program) {
    const kept = await this.store.load(`prepared/${program.app_id}`);
    return kept?.of === (await nameOf(program)) ? kept : null;
  }

  async place(program, frame, origin) {
    await hosted(frame, origin);
    const { prefix, policy, files } = await this.packed(program);
    await ask(frame, origin, { call: "store", prefix, policy, files });
    const kept = { of: await nameOf(program), prefix };
    await this.store.change({ put: new Map([[`prepared/${program.app_id}`, kept]]) });
    return kept;
  }

  /** The verified files, and a signed word on what they are and may reach. */
  async packed(program) {
    const files = await this.client.files(program);
    const digests = await Promise.all([...files].map(async ([path, bytes]) => [path, await sha256(bytes)]));
    const { pair, raw } = await this.identity();
    const text = utf8(JSON.stringify({
      addr: this.addr,
      app_id: program.app_id,
      egress: program.release.egress,
      files: Object.fromEntries(digests),
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

/** Removes everything that an origin stores. */
export const wipe = (origin) =>
  aside(async (frame) => {
    await hosted(frame, origin);
    await ask(frame, origin, { call: "wipe" });
  });

/** Does something with a frame that nobody sees. */
async function aside(work) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "Preparing a program";
  frame.setAttribute("sandbox", SANDBOX);
  document.body.append(frame);
  try {
    return await work(frame);
  } finally {
    frame.remove();
  }
}

/** Loads the page that takes files, and waits until it does. */
async function hosted(frame, origin) {
  const ready = said(frame, origin, (data) => data?.tenantry === "host", PATIENCE);
  frame.src = `${origin}/-/host.html`;
  const { failed } = await ready;
  if (failed) throw new Error(`the place of this program cannot be set up: ${failed}`);
}

const greeted = (frame, origin, patience) => said(frame, origin, (data) => data?.tenantry === "hello", patience);

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
