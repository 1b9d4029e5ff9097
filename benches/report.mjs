// What the report costs whoever opens it: from the start of the navigation until the first view is painted, and from
// a click or a letter until the answer is.
//
//   cargo run --release --example generate-project -- --tenants 10000 /tmp/many
//   cargo build --release && node benches/report.mjs /tmp/many [runs]

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

process.env.TENANTRY ??= new URL("../target/release/tenantry", import.meta.url).pathname;
const { launch } = await import("../tests/browser/support.mjs");

const [folder = ".", runs = "9"] = process.argv.slice(2);
const RUNS = Number(runs);
const VIEWS = ["now", "matrix", "impact", "timeline", "sizes", "trust", "store", "why"];

/** In the page: remembers when the first view was painted. */
function watch() {
  const painted = () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { window.painted = performance.now(); };
    channel.port2.postMessage(null);
  });
  new MutationObserver((_, observer) => {
    if (document.documentElement?.dataset.ready === undefined) return;
    observer.disconnect();
    painted();
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });
}

/** In the page: does something, and says how long it took until that was painted. */
async function answered([kind, what]) {
  await new Promise((resolve) => setTimeout(resolve, 800)); // What was begun before is done.
  const before = performance.now();
  if (kind === "view") {
    document.querySelector(`#to-${what}`).click();
    await new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
  } else if (kind === "type") {
    const field = document.querySelector("#filter-tenant");
    field.value = what;
    field.dispatchEvent(new Event("input"));
  } else document.querySelector(what).click();
  await new Promise((resolve) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  }));
  return performance.now() - before;
}

const taken = new Map();
const note = (name, time) => taken.set(name, [...(taken.get(name) ?? []), time]);

async function once(browser, url) {
  for (const view of ["now", "matrix"]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    const page = await context.newPage();
    await page.addInitScript(watch);
    await page.goto(`${url}#${view}`);
    await page.waitForFunction(() => window.painted);
    note(`open ${view}`, await page.evaluate(() => window.painted));
    const timed = async (name, ...what) => note(name, await page.evaluate(answered, what));
    if (view === "now") for (const other of VIEWS.slice(1)) await timed(`to ${other}`, "view", other);
    else {
      for (const text of ["a", "e", "bank", ""]) await timed(`filter \`${text}\``, "type", text);
      await timed("filter a state", "press", "#state-denied");
      await timed("clear", "press", "#clear");
      if (await page.locator("#page-Next").count()) await timed("next page", "press", "#page-Next");
      await timed("a cell's reasons", "press", ".sheet tbody tr:nth-child(5) td:nth-child(8)");
      await timed("unfold a class", "press", ".fold");
    }
    await context.close();
  }
}

const room = mkdtempSync(join(tmpdir(), "tenantry-report-"));
const file = join(room, "report.html");
execFileSync(process.env.TENANTRY, ["--project", folder, "report", "--out", file], { stdio: "inherit" });
const browser = await launch();
for (let run = 0; run < RUNS; run += 1) await once(browser, pathToFileURL(file).href);
await browser.close();
console.log(`${(statSync(file).size / 1e6).toFixed(1)} MB; median and worst of ${RUNS}, in ms`);
for (const [name, times] of taken) {
  const sorted = [...times].sort((one, other) => one - other);
  console.log(`${name.padEnd(20)} ${Math.round(sorted[sorted.length >> 1]).toString().padStart(6)} ${Math.round(sorted.at(-1)).toString().padStart(6)}`);
}
rmSync(room, { recursive: true });
