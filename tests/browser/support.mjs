// A project, its server, a proxy that does wrong when told to, and a browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";

const BINARY = process.env.TENANTRY;
const REPOSITORY = new URL("../..", import.meta.url).pathname;

/** A copy of the example project, or of another folder, that a test may change. */
export class Project {
  constructor(files = ["tenantry.yaml", "tenants", "catalog", "schemas"]) {
    this.folder = mkdtempSync(join(tmpdir(), "tenantry-browser-"));
    files.forEach((name) => cpSync(join(REPOSITORY, name), join(this.folder, name), { recursive: true }));
  }

  write(path, text) {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  edit(path, from, to) {
    const text = readFileSync(join(this.folder, path), "utf8");
    if (!text.includes(from)) throw new Error(`\`${from}\` is not in ${path}:\n${text}`);
    writeFileSync(join(this.folder, path), text.replace(from, to));
  }

  /** Runs the command, and gives what it says on stdout. */
  async run(...args) {
    const process = spawn(BINARY, args, { cwd: this.folder, stdio: ["ignore", "pipe", "inherit"] });
    const chunks = [];
    process.stdout.on("data", (chunk) => chunks.push(chunk));
    await once(process, "close");
    return Buffer.concat(chunks).toString();
  }

  /** `tenantry serve`, until it is stopped. */
  async serve(...args) {
    const process = spawn(BINARY, ["serve", "--port", "0", ...args], { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    const talk = [];
    process.stderr.on("data", (chunk) => talk.push(chunk.toString()));
    const line = await new Promise((resolve, reject) => {
      process.stdout.once("data", (chunk) => resolve(chunk.toString().trim()));
      process.once("exit", () => reject(new Error(`serve ended: ${talk.join("")}`)));
    });
    return { port: Number(new URL(line).port), stop: () => process.kill(), said: () => talk.join("") };
  }

  /** Names of all tenants, and their addresses. */
  tenants() {
    const index = JSON.parse(readFileSync(join(this.folder, existsSync(join(this.folder, "out")) ? "out" : ".tenantry/out", "state/index.json")));
    return Object.fromEntries(Object.entries(index.tenants).map(([addr, { name }]) => [name, addr]));
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Between browser and server: passes everything on, remembers it, and answers otherwise where a rule says so. */
export class Proxy {
  static async start(upstream) {
    const proxy = new Proxy();
    Object.assign(proxy, { upstream, asked: [], rules: [], isAway: false });
    proxy.server = http.createServer((request, response) => proxy.pass(request, response));
    proxy.server.listen(0, "127.0.0.1");
    await once(proxy.server, "listening");
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  get url() {
    return `http://shell.localhost:${this.port}/shell/`;
  }

  /** Paths that contain this are answered by `change(body, path)`, which gives other bytes, or a path to ask instead, or a promise. */
  rule(part, change) {
    this.rules.push({ part, change });
  }

  heal() {
    this.rules = [];
    this.isAway = false;
  }

  async get(path, headers = {}) {
    const request = http.get({ port: this.upstream, host: "127.0.0.1", path, headers, agent: false });
    const [answer] = await once(request, "response");
    const chunks = [];
    for await (const chunk of answer) chunks.push(chunk);
    return { answer, body: Buffer.concat(chunks) };
  }

  async pass(request, response) {
    if (this.isAway) return request.socket.destroy();
    const path = request.url;
    const rule = this.rules.find(({ part }) => path.includes(part));
    const headers = rule ? { host: request.headers.host } : request.headers;
    try {
      let { answer, body } = await this.get(path, headers);
      if (rule) {
        const changed = await rule.change(body, path);
        body = typeof changed === "string" ? (await this.get(changed)).body : changed;
      }
      const out = { ...answer.headers, ...(answer.statusCode === 200 && { "content-length": body.length }) };
      response.writeHead(answer.statusCode, out).end(body);
      const head = Object.entries(out).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, 17);
      this.asked.push({ path, host: request.headers.host, status: answer.statusCode, body: body.length, head });
    } catch {
      request.socket.destroy();
    }
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** One bit of the byte in the middle is another. */
export function flipped(body) {
  const copy = Buffer.from(body);
  copy[copy.length >> 1] ^= 1;
  return copy;
}

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** A device: storage of its own. What the pages say on the console goes with a failure. */
export async function device(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  const said = [];
  context.on("console", (line) => said.push(`${line.type()}: ${line.text()}`));
  context.on("weberror", (error) => said.push(`error: ${error.error().stack}`));
  context.said = said;
  return context;
}

/** Opens a tenant on a device, and waits until everything is there. */
export async function visit(context, proxy, addr) {
  const page = await context.newPage();
  await page.goto(addr ? `${proxy.url}#t=${addr}` : proxy.url);
  if (addr) await page.locator(".grid").waitFor();
  return page;
}

export const settled = (page) => page.waitForFunction(() => document.querySelector("#app").dataset.settled && navigator.serviceWorker.controller);

/** Names of what can be opened, sorted. */
export const offered = async (page) => {
  const open = page.locator(".tile:not(.off) .open .name");
  return (await open.evaluateAll((names) => names.map((it) => it.firstChild.textContent))).sort();
};

/** Opens a program, and gives its frame. */
export async function opened(page, name) {
  await page.locator(".open", { hasText: name }).first().click();
  await page.locator(".stage:not([aria-busy])").waitFor();
  return page.frameLocator("iframe.program");
}

export const framed = (page) => page.frames().find((frame) => /^http:\/\/[a-z2-7]{26}\.shell\.localhost/.test(frame.url()));
