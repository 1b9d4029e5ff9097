// What the web shell costs a person: cold and warm start to the first mini-program, against the same files served
// plainly, without verification, under three networks.
//
//   cargo build && node benches/shell.mjs [runs [network]]
//
// The network is a forwarder on loopback that delays and paces bytes. What is asked for stands in the server's log.

import { createReadStream, existsSync, statSync } from "node:fs";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { extname, join } from "node:path";

process.env.TENANTRY ??= new URL("../target/debug/tenantry", import.meta.url).pathname;
const { device, launch, Project } = await import("../tests/browser/support.mjs");

const RUNS = Number(process.argv[2] ?? 5);
const TENANT = "umbra-architetti";
const PROGRAM = { name: "Roster", folder: "com.example.roster/1.1.0/app", page: "pages/index.html" };
const NETWORKS = {
  "fibre, 10 ms, 50 Mbit/s": { round: 10, rate: 50e6 / 8 },
  "4G, 60 ms, 9 Mbit/s": { round: 60, rate: 9e6 / 8 },
  "3G, 300 ms, 1.6 Mbit/s": { round: 300, rate: 1.6e6 / 8 },
};

/** How many bytes travel together: a browser begins with a page before the end of it is there. */
const PACKET = 1460;

/** Bytes to a port and back, half a round trip later each way, and no faster than the rate. */
async function slowed(target, { round, rate }) {
  let free = 0;
  const listener = net.createServer((near) => {
    const far = net.connect(target, "127.0.0.1");
    // In the order in which they came: of two timers for the same instant, either may be first.
    const lane = (to, queue = []) => (bytes, wait) => {
      queue.push(bytes);
      setTimeout(() => to.writable && to.write(queue.shift()), wait);
    };
    const [toFar, toNear] = [lane(far), lane(near)];
    // A connection costs a round trip before the first byte goes.
    const opened = performance.now() + round;
    near.on("data", (bytes) => toFar(bytes, Math.max(opened - performance.now(), 0) + round / 2));
    far.on("data", (bytes) => {
      for (let at = 0; at < bytes.length; at += PACKET) {
        const packet = bytes.subarray(at, at + PACKET);
        free = Math.max(free, performance.now()) + (1000 * packet.length) / rate;
        toNear(packet, free - performance.now() + round / 2);
      }
    });
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("close", () => setTimeout(() => other.destroy(), Math.max(free - performance.now(), 0) + 2 * round));
      one.on("error", () => {});
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return { port: listener.address().port, stop: () => listener.close() };
}

/** The plain alternative: a page with a button, which shows the program's own files in a frame. */
async function plain(folder) {
  const types = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml" };
  // In the attribute, so that no click comes before it.
  const open = `const frame = document.createElement('iframe'); frame.src = 'program/${PROGRAM.page}'; document.body.append(frame);`;
  const start = `<!doctype html><title>Plain</title><body><button onclick="${open}">${PROGRAM.name}</button></body>`;
  const listener = http.createServer((request, response) => {
    const path = new URL(request.url, "http://x").pathname;
    if (path === "/") return response.writeHead(200, { "content-type": "text/html" }).end(start);
    const file = join(folder, path.replace("/program/", ""));
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream", "cache-control": "max-age=31536000, immutable" });
    return createReadStream(file).pipe(response);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return { port: listener.address().port, stop: () => (listener.close(), listener.closeAllConnections()) };
}

const median = (values) => values.sort((one, other) => one - other)[values.length >> 1];

/** Clicks what opens the program as soon as it can be seen, and says when the program itself can be. */
function person(name) {
  const isSeen = (node) => node?.getClientRects().length > 0;
  const look = () => {
    const button = [...document.querySelectorAll("button")].find((it) => !it.disabled && isSeen(it) && it.textContent.includes(name));
    if (self === top && button) return button.click();
    if (self !== top && isSeen(document.querySelector("main"))) return window.shown();
    return requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** How long from the address to the program. */
async function started(context, url) {
  const page = await context.newPage();
  const shown = new Promise((resolve) => (context.shown = resolve));
  const began = performance.now();
  await page.goto(url, { waitUntil: "commit" });
  await Promise.race([shown, page.waitForTimeout(60_000).then(() => Promise.reject(new Error(`nothing came up at ${url}`)))]);
  return { page, took: performance.now() - began };
}

/** Cold, then warm on the same device once all is settled. */
async function measured(browser, url, settle, count) {
  const context = await device(browser);
  await context.exposeBinding("shown", () => context.shown());
  await context.addInitScript(person, PROGRAM.name);
  try {
    const before = count();
    const cold = await started(context, url);
    const after = count();
    await settle(cold.page);
    await cold.page.close();
    const warm = await started(context, url);
    return { cold: cold.took, warm: warm.took, requests: after.requests - before.requests, bytes: after.bytes - before.bytes };
  } finally {
    await context.close();
  }
}

const project = new Project();
const server = await project.serve("--no-watch", "--log");
const addr = project.tenants()[TENANT];
const alternative = await plain(join(project.folder, "catalog/programs", PROGRAM.folder));
const browser = await launch();
const settled = async (page) => {
  await page.locator(".back").click();
  await page.waitForFunction(() => document.querySelector("#app").dataset.settled && navigator.serviceWorker.controller, null, { timeout: 60_000 });
};
const counted = () => {
  const answers = [...server.said().matchAll(/^GET \S+ \d+ ([\d.]+) (k?)B$/gm)];
  return { requests: answers.length, bytes: answers.reduce((sum, [, size, kilo]) => sum + size * (kilo ? 1000 : 1), 0) };
};
console.log(`Medians of ${RUNS}, time to the first mini-program in ms`);
console.log("network                    | plain cold | shell cold |     | plain warm | shell warm |     | shell cold: requests, kB");
const wanted = Object.entries(NETWORKS).filter(([name]) => name.startsWith(process.argv[3] ?? ""));
for (const [name, network] of wanted) {
  const [near, nearPlain] = [await slowed(server.port, network), await slowed(alternative.port, network)];
  const runs = { shell: [], plain: [] };
  for (let run = 0; run < RUNS; run += 1) {
    runs.plain.push(await measured(browser, `http://127.0.0.1:${nearPlain.port}/`, async () => {}, counted));
    runs.shell.push(await measured(browser, `http://shell.localhost:${near.port}/shell/#t=${addr}`, settled, counted));
  }
  const of = (which, what) => median(runs[which].map((it) => it[what]));
  const pair = (what) => {
    const [one, other] = [of("plain", what), of("shell", what)];
    return `${one.toFixed(0).padStart(10)} | ${other.toFixed(0).padStart(10)} | ${(other / one).toFixed(1)}`;
  };
  console.log(`${name.padEnd(26)} | ${pair("cold")} | ${pair("warm")} | ${of("shell", "requests")}, ${(of("shell", "bytes") / 1000).toFixed(0)}`);
  near.stop();
  nearPlain.stop();
}
await browser.close();
[alternative, server].forEach((it) => it.stop());
project.remove();
process.exit(0);
