// The report in Chromium, from a disk and from `tenantry serve`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, afterEach, before, test } from "node:test";

import { device, launch, Project } from "./support.mjs";

const AT = "2026-11-26T12:00:00Z";
const VIEWS = ["now", "matrix", "impact", "timeline", "sizes", "trust", "store", "why"];
const REGULATED = "aurora-bank";
const TITLE = "</script><img src=x onerror=hacked=1>`{{file}}`";

let project, browser, url, book, file, server;
const devices = [];

before(async () => {
  [project, browser] = [new Project(), await launch()];
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message", "As it was");
  await project.run("compile", "--at", AT);
  await project.run("publish");
  project.edit("catalog/plans/business.yaml", "    - app_id: com.example.helpdesk\n      range: \"^2\"\n", "");
  project.edit("catalog/plans/business.yaml", "    - app_id: com.example.identity\n", "    - app_id: com.example.identity\n    - app_id: com.example.vault\n");
  file = await report("whole.html", "--base", "HEAD", "--store", "all");
  url = pathToFileURL(file).href;
  book = JSON.parse(await project.run("report", "--at", AT, "--base", "HEAD", "--store", "all", "--format", "json"));
});

afterEach(async (context) => {
  for (const one of devices.splice(0)) {
    if (!context.passed && context.error) console.error(one.said.join("\n"));
    await one.close();
  }
});

after(async () => {
  await browser?.close();
  server?.stop();
  project?.remove();
});

function git(...args) {
  execFileSync("git", ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com", ...args], { cwd: project.folder });
}

/** Makes a page, and gives its path. */
async function report(name, ...args) {
  const path = join(project.folder, name);
  await project.run("report", "--at", AT, "--out", path, ...args);
  return path;
}

async function opened(hash, options = {}, at = url) {
  const one = await device(browser, { viewport: { width: 1280, height: 800 }, ...options });
  devices.push(one);
  one.asked = [];
  one.on("request", (request) => one.asked.push(request.url()));
  const page = await one.newPage();
  await page.goto(`${at}#${hash}`);
  await page.locator("html[data-ready]").waitFor();
  return page;
}

const go = (page, hash) => page.evaluate((to) => {
  location.hash = to;
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}, hash);

const panel = (page) => page.locator("#panel");
const rows = (page) => page.locator(".sheet tbody tr").count();
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
const counts = async (page) => (await page.locator("#found").textContent()).match(/\d+(?= of|(?= (?:tenant|class|program)))/g).map(Number);

/** Names as a page shows them: without marks. */
const bare = (text) => text.replaceAll("`", "");

test("every view opens from a disk, asks nobody for anything and has nothing to complain of", { timeout: 30_000 }, async () => {
  for (const width of [1280, 400]) {
    const page = await opened("", { viewport: { width, height: 800 } });
    for (const view of VIEWS) {
      await go(page, view);
      assert.equal(await page.locator("main h1").textContent(), view[0].toUpperCase() + view.slice(1));
      assert.equal(await page.locator("nav [aria-current]").textContent(), view[0].toUpperCase() + view.slice(1));
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${view} is ${wider} px wider than a window of ${width} px`);
    }
    const [context] = devices.slice(-1);
    assert.deepEqual(context.asked, [url]);
    assert.deepEqual(context.said, []);
  }
});

test("behind each cell stand the reasons that `explain` gives, in its words and with its lines", { timeout: 30_000 }, async () => {
  const page = await opened("matrix");
  const programs = book.programs.map((it) => it.app_id);
  const shown = await page.evaluate(shownCells, programs);
  const all = await Promise.all(book.tenants.map(({ name }) => project.run("explain", name, "--at", AT, "--format", "json")));
  for (const explained of all.map((it) => JSON.parse(it))) {
    const name = explained.tenant;
    const wanted = new Map(explained.mini_programs.map((it) => [it.app_id, it]));
    for (const app_id of programs) {
      const cell = shown[`${name}/${app_id}`];
      if (wanted.has(app_id)) assert.deepEqual(cell, told(wanted.get(app_id)), `${name}/${app_id}`);
      else assert.match(cell.facts[0][0], new RegExp(`^no plan, add-on or override of tenant ${name} contains it$`), `${name}/${app_id}`);
    }
  }
  // One of those that nobody granted, word for word.
  const [name, app_id] = ["umbra-architetti", "com.example.vault"];
  const alone = JSON.parse(await project.run("explain", name, app_id, "--at", AT, "--format", "json"));
  assert.deepEqual(shown[`${name}/${app_id}`], told(alone));
});

/** In the page: unfolds all classes, chooses every cell of every tenant, and reads what stands beside the matrix. */
function shownCells(programs) {
  const read = () => ({
    version: document.querySelector("#panel .verdict .version")?.textContent ?? null,
    facts: [...document.querySelectorAll("#panel .fact")].map((it) => [it.querySelector(".text").textContent, it.querySelector(".place").textContent]),
  });
  for (let fold; (fold = document.querySelector(".fold[aria-expanded=false]")); ) fold.click();
  const found = {};
  for (const row of document.querySelectorAll(".sheet tbody tr:has(a)")) {
    programs.forEach((program, at) => {
      row.cells[at + 1].click();
      found[`${row.querySelector("a").textContent}/${program}`] = read();
    });
  }
  return found;
}

/** What the page should say of it. */
function told({ versions = [], why = [], because = [], from, until, passed_over = [], offers = [] }) {
  const facts = [...why, ...because, ...(from ? [from.why] : []), ...(until ? [until.why] : []), ...passed_over.flatMap((it) => it.why), ...offers];
  return { version: versions[0]?.version ?? null, facts: facts.map(({ text, place }) => [bare(text), place]) };
}

test("a link leads to a cell, with the filters that were set", { timeout: 20_000 }, async () => {
  const page = await opened(`matrix?plan=premium&cell=${REGULATED}/com.example.expenses`);
  assert.equal(await panel(page).locator("h2").textContent(), `Expenses for ${REGULATED}`);
  assert.equal(await page.locator("#filter-plan").inputValue(), "premium");
  const picked = page.locator("[aria-selected=true]");
  assert.equal(await picked.count(), 1);
  assert.match(await picked.getAttribute("aria-label"), /1\.9\.3/);
  assert.ok(await picked.isVisible());
  await page.getByRole("button", { name: "Close" }).click();
  await page.waitForURL(/#matrix\?plan=premium$/);
  assert.ok(await panel(page).isHidden());
  await go(page, "matrix?cell=nobody/com.example.chat");
  assert.match(await panel(page).textContent(), /There is no nobody\/com\.example\.chat here/);
  await go(page, "why?tenant=nobody");
  assert.match(await page.locator("main").textContent(), /no tenant nobody/);
});

test("the matrix is used with the keyboard alone", { timeout: 20_000 }, async () => {
  const page = await opened("matrix");
  await page.locator("#state-none").focus();
  await page.keyboard.press("Tab");
  assert.match(await focused(page), /^\d+ tenants$/);
  const before = await rows(page);
  await page.keyboard.press("Enter");
  const members = Number((await focused(page)).split(" ")[0]);
  assert.equal(await rows(page), before + members);
  await page.keyboard.press("Enter");
  assert.equal(await rows(page), before);
  // Two to the right and one down; then its reasons, and back.
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
  const cell = await focused(page);
  await page.keyboard.press("Enter");
  const heading = await focused(page);
  assert.match(heading, /^Chat for /);
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), cell);
  assert.ok(await panel(page).isHidden());
  // With the panel open it follows the arrows.
  await page.keyboard.press(" ");
  await page.locator(".sheet td[tabindex='0']").focus();
  await page.keyboard.press("End");
  assert.match(await panel(page).locator("h2").textContent(), /^Vault for /);
  await page.keyboard.press("Control+Home");
  assert.match(await focused(page), /tenants$/);
});

test("filters show what they say, and nothing else", { timeout: 20_000 }, async () => {
  const page = await opened("matrix");
  const { tenants, classes, cells, shapes, backdrops, legend, plans } = book;
  assert.deepEqual(await counts(page), [tenants.length, classes.length, book.programs.length]);
  await page.locator("#filter-tenant").fill("bank");
  const banks = tenants.filter((it) => `${it.name}\n${it.title}`.toLowerCase().includes("bank"));
  assert.equal((await counts(page))[0], banks.length);
  await page.locator("#filter-tenant").fill("METEO");
  assert.equal((await counts(page))[0], 1, "neither case nor accents matter");
  await page.getByRole("button", { name: "Clear" }).click();
  await page.locator("#filter-plan").selectOption("starter");
  assert.equal((await counts(page))[0], tenants.filter((it) => plans[it.plan] === "starter").length);
  await page.locator("#filter-level").selectOption("15");
  assert.equal((await counts(page))[0], tenants.filter((it) => plans[it.plan] === "starter" && it.levels.includes(15)).length);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.locator("#state-denied").click();
  const denied = legend.findIndex((it) => it.state === "denied");
  const stateOf = (shape, program) => cells[shapes[shape].cells[program] ?? backdrops[shapes[shape].backdrop][program]].state;
  const having = classes.filter((it) => book.programs.some((_, program) => stateOf(it.shape, program) === denied));
  assert.equal(await page.locator(".sheet tbody tr").count(), having.length);
  await page.locator("#filter-program").fill("chat");
  assert.deepEqual(await page.locator(".sheet thead th").allTextContents(), ["Class", "Chat"]);
  const signs = new Set(await page.locator(".sheet td").allTextContents());
  assert.deepEqual([...signs], [legend[denied].sign]);
  await page.waitForURL(/#matrix\?program=chat&state=denied$|#matrix\?state=denied&program=chat$/);
});

test("one tenant is found among all, and told in a tree and as Markdown", { timeout: 20_000 }, async () => {
  const page = await opened("why");
  const taken = () => page.evaluate(() => window.taken);
  await page.evaluate(() => { navigator.clipboard.writeText = async (text) => { window.taken = text; }; });
  await page.locator("#tenant").fill("umbr");
  assert.deepEqual(await page.locator("[role=option]").allTextContents(), ["umbra-architettiUmbra Architetti Associati"]);
  await page.keyboard.press("Enter");
  await page.locator("h2", { hasText: "Umbra" }).waitFor();
  const explained = JSON.parse(await project.run("explain", "umbra-architetti", "--at", AT, "--format", "json")).mini_programs;
  const open = await page.locator(".branch:not(details) .leaf").evaluateAll((leaves) => leaves.map((it) => it.dataset.program));
  assert.deepEqual(open.sort(), explained.map((it) => it.app_id));
  await page.locator("#copy").click();
  await page.locator(".said", { hasText: "Copied." }).waitFor();
  for (const { text, place } of explained.flatMap((it) => it.because)) assert.ok((await taken()).includes(`${text} (\`${place}\`)`), text);
  // A browser that gives a page on a disk no clipboard has the old way.
  await page.evaluate(() => {
    window.taken = null;
    navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
    document.addEventListener("copy", () => { window.taken = document.activeElement.value; });
  });
  await page.locator("#copy").click();
  assert.match(await taken(), /^### `umbra-architetti` \(Umbra Architetti Associati\), plan `starter`\n/);
});

test("a change is shown as `plan` tells it, losses first", { timeout: 20_000 }, async () => {
  const page = await opened("impact");
  assert.equal(await page.locator("main .lead").textContent(), book.impact.summary.text);
  assert.deepEqual(
    await page.locator(".change .weight").evaluateAll((all) => all.map((it) => it.textContent.split(" ").pop())),
    book.impact.classes.map((it) => it.weight));
  const guards = page.locator("table tbody tr");
  assert.equal(await guards.filter({ hasText: "revocations" }).locator(".guard").textContent(), "✕ stopped");
});

test("what happens by itself stands on the timeline at its day", { timeout: 20_000 }, async () => {
  const page = await opened("timeline");
  const shown = await page.locator(".moment time").evaluateAll((all) => all.map((it) => it.dateTime));
  const wanted = new Set([...book.timeline.moments, ...book.marks].map((it) => it.at).sort());
  assert.deepEqual(shown, [...wanted]);
  assert.ok(await page.locator(".course .w-loss").first().isVisible());
});

test("names that look like markup or templates are names", { timeout: 20_000 }, async () => {
  project.edit("tenants/u/umbra-architetti.yaml", "title: Umbra Architetti Associati", `title: ${JSON.stringify(TITLE)}`);
  const page = await opened("why?tenant=umbra-architetti", {}, pathToFileURL(await report("hostile.html")).href);
  assert.equal(await page.locator("main h2").first().textContent(), TITLE);
  await page.evaluate(() => { navigator.clipboard.writeText = async (text) => { window.taken = text; }; });
  await page.locator("#copy").click();
  await page.waitForFunction(() => window.taken);
  assert.ok((await page.evaluate(() => window.taken)).includes("\\<img src=x onerror=hacked=1\\>\\`{{file}}\\`".replace("{{", "\\{\\{").replace("}}", "\\}\\}")));
  await go(page, "matrix?tenant=onerror&cell=umbra-architetti/com.example.roster");
  assert.ok((await panel(page).textContent()).includes(TITLE));
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  project.edit("tenants/u/umbra-architetti.yaml", `title: ${JSON.stringify(TITLE)}`, "title: Umbra Architetti Associati");
});

test("with `--redact` no name is in the file", { timeout: 20_000 }, async () => {
  const path = await report("redacted.html", "--redact", "--base", "HEAD");
  const text = readFileSync(path, "utf8");
  const leaked = book.tenants.flatMap((it) => [it.name, it.title, it.file]).filter((it) => it && text.includes(it));
  assert.deepEqual(leaked, []);
  const page = await opened("why", {}, pathToFileURL(path).href);
  assert.match(await page.locator("#origin").textContent(), /names left out/);
  assert.equal(await page.locator(".list tbody tr").count(), book.tenants.length);
});

test("everybody can use it: axe finds nothing in any view, light and dark", { timeout: 40_000 }, async () => {
  const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
  const all = [...VIEWS, `matrix?cell=${REGULATED}/com.example.chat`, `why?tenant=${REGULATED}`, "sizes?program=com.example.chat"];
  for (const colorScheme of ["light", "dark"]) {
    const page = await opened("", { colorScheme, reducedMotion: "reduce" });
    await page.evaluate(axe);
    for (const view of all) {
      await go(page, view);
      // Colours are what is different in the dark.
      const options = { resultTypes: ["violations"], ...(colorScheme === "dark" && { runOnly: ["color-contrast"] }) };
      const { violations } = await page.evaluate((some) => window.axe.run(document, some), options);
      assert.deepEqual(violations.map((it) => `${view}, ${colorScheme}: ${it.id}: ${it.nodes.map(({ html }) => html).slice(0, 3).join(" ")}`), []);
    }
  }
});

test("live, what is new appears, and whoever reads stays where he is", { timeout: 30_000 }, async () => {
  server = await project.serve();
  const at = `http://127.0.0.1:${server.port}/report/`;
  const page = await opened("matrix", {}, at);
  await page.locator("#filter-tenant").fill("umbra");
  assert.equal(await page.locator(".sheet td[aria-label]").nth(0).getAttribute("class"), "s-none");
  const before = await page.locator(".sheet tbody th small").textContent();
  project.edit("tenants/u/umbra-architetti.yaml", "plan: starter", "plan: premium");
  await page.locator(".sheet tbody th small", { hasText: "premium" }).waitFor();
  assert.match(before, /starter/);
  assert.deepEqual(await page.evaluate(() => [document.activeElement.id, document.activeElement.value, document.activeElement.selectionStart]), ["filter-tenant", "umbra", 5]);
  assert.equal(await rows(page), 1);
  // Whoever is in a cell of the matrix stays in it, wherever its row is now.
  await page.locator("#clear").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "filter-tenant");
  await page.locator(".sheet tr", { hasText: "alder-valley-hospital" }).locator("td").nth(3).focus();
  const [cell, made] = [await focused(page), await page.locator("#origin time").getAttribute("datetime")];
  project.edit("tenants/u/umbra-architetti.yaml", "plan: premium", "plan: business");
  await page.locator(`#origin time:not([datetime="${made}"])`).waitFor();
  assert.equal(await focused(page), cell);
  assert.equal(await page.evaluate(() => document.activeElement.closest("tr").querySelector("a").textContent), "alder-valley-hospital");
  server.stop();
  await page.locator("#notice", { hasText: "does not answer" }).waitFor();
  assert.ok(await rows(page) > 1, "what was known stays");
});
