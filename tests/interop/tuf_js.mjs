// The stock tuf-js client over every tenant that it is given.
//
// usage: node tuf_js.mjs BASE_URL ROOT_FILE STATE_DIR ADDR...
//
// Prints one line of JSON a tenant: {"addr": …, "targets": how many were verified, "bytes": of all of them}.
// What is in STATE_DIR from an earlier run is used again, as a device would.

import assert from "node:assert";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Updater } from "tuf-js";

const [baseUrl, rootFile, stateDir, ...addrs] = process.argv.slice(2);
for (const addr of addrs) {
  console.log(JSON.stringify(await follow(addr, join(stateDir, addr))));
}

async function follow(addr, state) {
  const [metadataDir, targetDir] = [join(state, "metadata"), join(state, "targets")];
  mkdirSync(metadataDir, { recursive: true });
  mkdirSync(targetDir, { recursive: true });
  // tuf-js takes its trusted root from its own store, so the pinned one is put there once.
  const trusted = join(metadataDir, "root.json");
  if (!existsSync(trusted)) copyFileSync(rootFile, trusted);
  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: `${baseUrl}/t/${addr}`,
    targetDir,
    targetBaseUrl: `${baseUrl}/o`,
  });
  await updater.refresh();

  const manifest = await fetchTarget(updater, `${addr}.manifest.json`);
  const files = archives(JSON.parse(manifest.toString("utf8")));
  let bytes = manifest.length;
  for (const [name, file] of files) {
    const data = await fetchTarget(updater, name);
    // The client has compared it with targets.json; the manifest must say the same.
    assert.equal(data.length, file.length, `${name}: not the manifest's length`);
    assert.equal(createHash("sha256").update(data).digest("hex"), file.sha256, `${name}: not the manifest's digest`);
    bytes += data.length;
  }
  return { addr, targets: 1 + files.size, bytes };
}

async function fetchTarget(updater, name) {
  const info = await updater.getTargetInfo(name);
  assert(info, `${name} is not a target`);
  return readFileSync((await updater.findCachedTarget(info)) ?? (await updater.downloadTarget(info)));
}

/** Every bundle and overlay that the manifest names, by its name among the targets. */
function archives(manifest) {
  const releases = manifest.mini_programs.flatMap((program) => program.releases);
  const files = releases.flatMap((release) => [release.bundle, release.overlay]).filter(Boolean);
  return new Map(files.map((file) => [file.target, file]));
}
