// The client of the web shell as a program of its own: a line of JSON in, a line of JSON out. Its shelf is a folder.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";

import { Client } from "../../shell/client/client.js";
import { Trouble } from "../../shell/client/trouble.js";

globalThis.crypto ??= webcrypto;

class Folder {
  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async load(name) {
    const path = join(this.folder, name);
    return existsSync(path) ? new Uint8Array(readFileSync(path)) : null;
  }

  async names() {
    const entries = readdirSync(this.folder, { withFileTypes: true, recursive: true });
    return entries.filter((it) => it.isFile()).map((it) => relative(this.folder, join(it.parentPath ?? it.path, it.name)));
  }

  async change({ put = new Map(), remove = [] }) {
    remove.forEach((name) => rmSync(join(this.folder, name), { force: true }));
    put.forEach((bytes, name) => {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), bytes);
    });
  }

  async empty(put) {
    await this.change({ put, remove: await this.names() });
  }
}

const CALLS = {
  open: async () => true,
  refresh: async (client, now) => {
    const { publication, staged } = await client.refresh(now);
    return { publication, staged: staged !== null };
  },
  activate: (client) => client.activate(),
  start: async (client, now) => {
    await client.examine();
    const { publication, programs, notes } = await client.start(now);
    const running = programs.filter((it) => it.verdict.is === "runs").map((it) => [it.app_id, it.release.version.code]);
    return { publication, running, notes };
  },
};

async function answer({ call, now, dir, base, addr, root }) {
  try {
    const pace = { rate: 1024, over: 0.5, inAll: 20 };
    const config = { addr, base, root: new Uint8Array(root), platform: 12, store: new Folder(dir), pace };
    const client = await Client.open(config);
    return { ok: await CALLS[call](client, now) };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    return { refused: { code: error.code, kept: error.kept ?? null, what: error.message } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
