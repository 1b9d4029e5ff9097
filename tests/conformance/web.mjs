// The TUF client of the web shell as a program like `client.rs`, with the same arguments and exit codes: 0 is success,
// 1 is not, and 2 is a mistake of ours. Delegated targets are not followed.
//
// With `--serve` it says on which port it listens, and then takes the arguments of one run a connection, as JSON: to
// start Node for each of some three hundred runs would take a minute.

import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { webcrypto } from "node:crypto";
import { parseArgs } from "node:util";

import { mismatch } from "../../shell/client/roles.js";
import { Transport } from "../../shell/client/transport.js";
import { Trouble } from "../../shell/client/trouble.js";
import { Updater } from "../../shell/client/updater.js";

globalThis.crypto ??= webcrypto;

/** Longest target that is read, in bytes. */
const MAX_TARGET = 100_000_000;

/** Trusted metadata in a folder. */
class Folder {
  constructor(folder) {
    this.path = (name) => join(folder, name.replace(/^trusted\//, ""));
  }

  async load(name) {
    return existsSync(this.path(name)) ? new Uint8Array(readFileSync(this.path(name))) : null;
  }

  async keep(name, bytes) {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), bytes);
  }

  async forget(names) {
    names.forEach((name) => rmSync(this.path(name), { force: true }));
  }
}

/** One segment, whatever the name contains. */
const encoded = (name) => (/^\.+$/.test(name) ? name.replaceAll(".", "%2E") : encodeURIComponent(name));

const below = (url) => new Transport(`${url.replace(/\/+$/, "")}/`);

async function refreshed({ shelf, metadataUrl }) {
  const metadata = below(metadataUrl);
  const repository = { metadata: ({ name, max, caches }) => metadata.get(encoded(name), max, caches) };
  const updater = await Updater.open(repository, shelf, await shelf.load("trusted/root.json"));
  const refreshed = await updater.refresh(Math.floor(Date.now() / 1000));
  // The shell goes on with what it has when a cache shows something older; the standard wants to be told.
  if (typeof refreshed === "object") throw new Trouble("rollback", `timestamp ${refreshed.served} is older than ${refreshed.trusted}`);
  return updater;
}

async function download({ root: { root }, trusted: { targets } }, name, { targetDir, targetUrl }) {
  const target = targets.targets.get(name);
  if (!target) throw new Trouble("missing", `the repository has no target "${name}"`);
  const file = join(targetDir, encoded(name));
  if (existsSync(file) && (await mismatch(target, new Uint8Array(readFileSync(file)))) === null) return;
  const [, folder, last] = /^(.*\/)?([^/]*)$/.exec(name);
  const hash = target.hashes.get("sha256") ?? target.hashes.get("sha512");
  const path = root.consistentSnapshot ? `${folder ?? ""}${hash}.${last}` : name;
  const bytes = await below(targetUrl).get(path.split("/").map(encoded).join("/"), Math.min(target.length, MAX_TARGET), "allowed");
  const why = bytes === null ? "it is not there" : await mismatch(target, bytes);
  if (why !== null) throw new Trouble("damaged", `this is not the target "${name}": ${why}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

const COMMANDS = {
  init: ({ shelf, root }) => shelf.keep("trusted/root.json", readFileSync(root)),
  refresh: refreshed,
  async download(asked) {
    const updater = await refreshed(asked);
    for (const name of asked.names) await download(updater, name, asked);
  },
};

const text = { type: "string" };
const options = { "metadata-dir": text, "metadata-url": text, "target-name": { ...text, multiple: true }, "target-base-url": text, "target-dir": text };

/** One run; its exit code, and what there is to say. */
async function run(args) {
  try {
    const { values, positionals: [command, root] } = parseArgs({ args, options, allowPositionals: true });
    const { "metadata-dir": folder, "metadata-url": metadataUrl, "target-base-url": targetUrl, "target-dir": targetDir, "target-name": names } = values;
    await COMMANDS[command]({ shelf: new Folder(folder), root, metadataUrl, targetUrl, targetDir, names });
    return { code: 0, said: "" };
  } catch (error) {
    return error instanceof Trouble ? { code: 1, said: error.message } : { code: 2, said: error.stack };
  }
}

async function serve() {
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    const chunks = [];
    connection.on("data", (chunk) => chunks.push(chunk));
    connection.on("end", async () => connection.end(JSON.stringify(await run(JSON.parse(Buffer.concat(chunks))))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  console.log(server.address().port);
}

if (process.argv[2] === "--serve") {
  await serve();
} else {
  const { code, said } = await run(process.argv.slice(2));
  if (said) console.error(said);
  process.exitCode = code;
}
