// The web shell in Chromium, against `tenantry serve`, with a proxy between that does wrong when told to.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, afterEach, before, test } from "node:test";

import { device, flipped, framed, launch, offered, opened, Project, Proxy, settled, visit } from "./support.mjs";

const PREMIUM = "indigo-regional-air";
const REGULATED = "aurora-bank";
const SMALL = "umbra-architetti";

let project, server, proxy, browser, tenants, outside;
const devices = [];

before(async () => {
  [project, browser, outside] = [new Project(), await launch(), await listen()];
  hostile();
  server = await project.serve();
  proxy = await Proxy.start(server.port);
  tenants = project.tenants();
});

afterEach(async (context) => {
  proxy.heal();
  for (const one of devices.splice(0)) {
    if (!context.passed && context.error) console.error(one.said.join("\n"));
    await one.close();
  }
});

after(async () => {
  await browser?.close();
  [proxy, outside].forEach((it) => it?.stop());
  server?.stop();
  project?.remove();
});

async function fresh(options) {
  const one = await device(browser, options);
  devices.push(one);
  return one;
}

/** Somebody outside, who hears what reaches him. */
async function listen() {
  const heard = [];
  const listener = http.createServer((request, response) => {
    heard.push(request.url);
    response.writeHead(200, { "access-control-allow-origin": "*" }).end("heard");
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return { heard, port: listener.address().port, stop: () => (listener.close(), listener.closeAllConnections()) };
}

/** A program of the premium plan that tries what it may not, and shows what came of it. */
function hostile() {
  const folder = "catalog/programs/com.example.hostile/1.0.0";
  project.write(`${folder}/program.yaml`, `apiVersion: tenantry.dev/v1
kind: MiniProgram
metadata: { name: hostile, owner: nobody }
spec:
  app_id: com.example.hostile
  name: Hostile
  version: { code: 1, name: 1.0.0 }
  platform_version: { min_code: 10, target_code: 15 }
  pages: [index.html]
  req_permissions: [{ name: notifications, reason: To tell you things. }]
  egress: ["127.0.0.1:${outside.port}"]
  review: { status: online, since: "2026-01-20", reviewed_by: [nobody], evidence: NONE }
  package: { path: app }
`);
  project.write(`${folder}/app/index.html`, readFileSync(new URL("hostile.html", import.meta.url), "utf8").replace("@declared", `127.0.0.1:${outside.port}`));
  project.edit("catalog/plans/premium.yaml", "  mini_programs:\n", "  mini_programs:\n    - app_id: com.example.hostile\n");
}

/** What the Rust client says may run, by name. */
async function runs(name) {
  const dir = `${project.folder}/device-${name}`;
  const said = JSON.parse(await project.run("fetch", "--url", `http://127.0.0.1:${server.port}/`, "--tenant", name, "--dir", dir, "--optional", "--format", "json"));
  return said.start.programs.filter((it) => it.verdict.state === "runs").map((it) => it.name).sort();
}

const notice = (page, text) => page.locator(".notice", { hasText: text }).first().waitFor();
const tenantFile = (name) => `tenants/${name[0]}/${name}.yaml`;

/** A new publication, which the server has made when this ends. */
async function republished(change) {
  const publications = () => server.said().match(/^publication \d+: /gm).length;
  const before = publications();
  change();
  for (let tries = 0; publications() === before && tries < 200; tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(publications(), before + 1, "the server compiles again");
}

test("every customer sees his own programs, under his own name", { timeout: 40_000 }, async () => {
  for (const [name, brand] of [[PREMIUM, "Indigo"], [REGULATED, "Aurora Bank"]]) {
    const page = await visit(await fresh(), proxy, tenants[name]);
    assert.match(await page.locator("h1").textContent(), new RegExp(brand));
    assert.deepEqual(await offered(page), await runs(name));
    // One that is fetched only when somebody asks for it.
    if (name !== PREMIUM) continue;
    const tile = page.locator(".open", { hasText: "Inspection" });
    await tile.locator(".badge", { hasText: "Get" }).waitFor();
    await tile.click();
    await tile.locator(".badge").waitFor({ state: "detached" });
    await (await opened(page, "Inspection")).locator("body", { hasText: "Inspection" }).waitFor();
  }
});

test("a first start asks for little, for nothing twice, and opens a program before all has come", { timeout: 40_000 }, async () => {
  const one = await fresh();
  const page = await one.newPage();
  // The archives of all others come only once it is open.
  let [learn, release] = [];
  const [own, isOpen] = [new Promise((resolve) => (learn = resolve)), new Promise((resolve) => (release = resolve))];
  proxy.rule("/o/", async (body, path) => {
    if (path.endsWith(".manifest.json")) {
      const { releases } = JSON.parse(body).mini_programs.find((it) => it.name === "Roster");
      learn(releases.flatMap(({ bundle, overlay }) => [bundle.sha256, overlay?.sha256]));
    } else if (!(await own).some((sha256) => path.startsWith(`/o/${sha256}.`))) {
      await isOpen;
    }
    return body;
  });
  proxy.asked.length = 0;
  await page.goto(`${proxy.url}#t=${tenants[SMALL]}`);
  await page.locator(".grid").waitFor();
  await (await opened(page, "Roster")).locator("body", { hasText: "Roster" }).waitFor();
  release();
  await page.locator(".back").click();
  await settled(page);
  const asked = proxy.asked.map((it) => `${it.host}${it.path}`).filter((it) => !it.endsWith(".json") || it.includes("/o/"));
  // The worker that keeps the page asks for it again, and is told that it is the same.
  assert.deepEqual(proxy.asked.filter((it) => it.path === "/shell/").map((it) => it.status), [200, 304]);
  assert.equal(new Set(asked).size, asked.length - 1, asked.join("\n"));
  assert.equal(asked.filter((it) => it.includes("/o/")).length, 7, asked.join("\n"));
});

test("a program runs on an origin of its own, and lives as W3C MiniApps do", { timeout: 40_000 }, async () => {
  const page = await visit(await fresh(), proxy, tenants[PREMIUM]);
  await settled(page);
  await (await opened(page, "Hostile")).locator("#states", { hasText: "page ready" }).waitFor();
  const frame = framed(page);
  const own = new URL(frame.url()).origin;
  assert.equal(await frame.evaluate(() => localStorage.setItem("own", "1") ?? localStorage.getItem("own")), "1");
  const states = await frame.locator("#states").textContent();
  assert.equal(states, "global launched, global shown, page loaded, page shown, page ready, ");
  await page.locator(".back").click();
  await opened(page, "People");
  assert.notEqual(new URL(framed(page).url()).origin, own);
  assert.equal(await framed(page).evaluate(() => localStorage.getItem("own")), null);
});

test("what a program may not is stopped and said, and what it may works", { timeout: 40_000 }, async () => {
  const page = await visit(await fresh(), proxy, tenants[PREMIUM]);
  await settled(page);
  outside.heard.length = 0;
  const evil = await listen();
  const frame = await opened(page, "Hostile");
  await framed(page).evaluate((port) => window.attack(port), evil.port);
  await frame.locator("#done").waitFor();
  const came = JSON.parse(await frame.locator("#came").textContent());
  assert.deepEqual(came, {
    "a request": "refused", "a picture": "refused", "a beacon": "sent or refused", "a socket": "refused", "an empty frame": "refused",
    "the page of the host": "refused", "a worker": "refused", "the shell's page": "refused", "where it is": "undeclared",
    "a call that there is not": "invalid", "another worker": "refused", "the declared host": "heard",
  });
  await notice(page, "tried to reach 127.0.0.1");
  await notice(page, "know exactly where you are");
  // A permission that is declared is asked for, once.
  const asked = framed(page).evaluate(() => window.tenantry.notify({ title: "Hello", body: "there" }).then(() => "shown", (error) => error.code));
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  assert.equal(await asked, "shown");
  assert.equal(await framed(page).evaluate(() => window.tenantry.notify({ title: "Again" }).then(() => "shown")), "shown");
  // A program that widens its own policy is not served any more, until the shell has put it right.
  await framed(page).evaluate(() => window.widen());
  await page.locator(".back").click();
  await opened(page, "Hostile");
  assert.equal(await framed(page).evaluate((port) => fetch(`http://127.0.0.1:${port}/later`).then(() => "heard", () => "refused"), evil.port), "refused");
  // Nor can it leave its place and take something along.
  await framed(page).evaluate((port) => { location.href = `http://127.0.0.1:${port}/leave?secret`; }, evil.port);
  await page.waitForTimeout(300);
  assert.deepEqual(evil.heard, []);
  assert.deepEqual(outside.heard, ["/declared"]);
  evil.stop();
});

test("after the first visit everything works without a network", { timeout: 40_000 }, async () => {
  const context = await fresh();
  const page = await visit(context, proxy, tenants[SMALL]);
  await settled(page);
  const before = await offered(page);
  proxy.isAway = true;
  await context.setOffline(true);
  await page.reload();
  await page.locator(".grid").waitFor();
  assert.deepEqual(await offered(page), before);
  await page.locator(".status", { hasText: "Offline" }).waitFor();
  // None of them was opened before.
  for (const [name, text] of [["Inspection", "Sopralluogo"], ["Roster", "Roster"], ["People", "People"]]) {
    await (await opened(page, name)).locator("body", { hasText: text }).waitFor();
    await page.locator(".back").click();
  }
  await context.setOffline(false);
});

test("what `tenantry shell` writes is all that a server needs", { timeout: 40_000 }, async () => {
  const frames = `http://{label}.shell.localhost:${proxy.port}/`;
  await project.run("shell", "--out", "web", "--frames", frames, "--platform", "15");
  for (const [path, key] of [["/shell/worker.js", "shell/worker.js"], ["/shell/", "shell/index.html"], ["/-/host.html", "frames/-/host.html"], ["/-worker.js", "frames/-worker.js"]]) {
    proxy.rule(path, () => readFileSync(`${project.folder}/web/${key}`));
  }
  const page = await visit(await fresh(), proxy, tenants[SMALL]);
  await settled(page);
  const config = await page.evaluate(() => JSON.parse(document.querySelector("#given").textContent).config);
  assert.deepEqual(config, { base: "../", frames, platform: 15 });
  await (await opened(page, "Inspection")).locator("body", { hasText: "Sopralluogo" }).waitFor();
  proxy.isAway = true;
  await page.reload();
  await (await opened(page, "Roster")).locator("body", { hasText: "Roster" }).waitFor();
});

test("nothing new costs two requests and hardly a byte", { timeout: 40_000 }, async () => {
  const page = await visit(await fresh(), proxy, tenants[SMALL]);
  await settled(page);
  await page.waitForTimeout(2500);
  proxy.asked.length = 0;
  await page.getByRole("button", { name: "Check for updates" }).click();
  await notice(page, "There is nothing new");
  const first = proxy.asked.slice(0, 2);
  assert.deepEqual(first.map((it) => it.path.split("/").pop()).sort(), ["2.root.json", "timestamp.json"]);
  const bytes = first.reduce((sum, it) => sum + it.body, 0);
  assert.ok(bytes <= 700, `${bytes} bytes`);
});

test("a change of the licence arrives while the page is open, and what was running stops", { timeout: 40_000 }, async () => {
  const page = await visit(await fresh(), proxy, tenants[PREMIUM]);
  await settled(page);
  await opened(page, "Vault");
  await republished(() => project.edit(tenantFile(PREMIUM), "plan: premium", "plan: starter"));
  await notice(page, "Vault was stopped");
  await page.locator(".grid").waitFor();
  assert.deepEqual(await offered(page), await runs(PREMIUM));
  await republished(() => project.edit(tenantFile(PREMIUM), "plan: starter", "plan: premium"));
  await notice(page, "Updated in the background");
  await page.locator(".open", { hasText: "Vault" }).waitFor();
  assert.deepEqual(await offered(page), await runs(PREMIUM));
});

/** Something arrives that must not be taken: it is said, what was there stays and works, and honesty heals. */
async function refused(rule, said, { change = () => {} } = {}) {
  const context = await fresh();
  const page = await visit(context, proxy, tenants[SMALL]);
  await settled(page);
  const before = await offered(page);
  await rule(page);
  await change();
  await page.getByRole("button", { name: "Check for updates" }).click();
  await page.locator(".banner", { hasText: said }).waitFor();
  await page.locator(".banner", { hasText: "Your programs stay as they are and keep working." }).waitFor();
  assert.deepEqual(await offered(page), before);
  await (await opened(page, "Inspection")).locator("body", { hasText: "Sopralluogo" }).waitFor();
  await page.locator(".back").click();
  proxy.heal();
  await page.locator(".status", { hasText: "Up to date" }).waitFor();
}

test("an archive that was tampered with is refused", { timeout: 40_000 }, async () => {
  const rule = () => proxy.rule("/o/", (body, path) => (path.endsWith(".manifest.json") ? body : flipped(body)));
  const file = "catalog/programs/com.example.roster/1.1.0/app/css/app.css";
  const css = readFileSync(`${project.folder}/${file}`, "utf8");
  await refused(rule, "it is not the one that your vendor signed", { change: () => republished(() => project.write(file, `${css}\n/* new */\n`)) });
});

test("the files of another customer are refused", { timeout: 40_000 }, async () => {
  const swap = (_, path) => path.replace(tenants[SMALL], tenants[REGULATED]);
  await refused(() => proxy.rule(`/t/${tenants[SMALL]}/timestamp.json`, swap), "made for another organisation");
});

test("what was signed by a stranger is refused", { timeout: 40_000 }, async () => {
  const forge = (body) => Buffer.from(body.toString().replace(/"sig":"(..)/, (_, two) => `"sig":"${two === "00" ? "11" : "00"}`));
  await refused(() => proxy.rule("/timestamp.json", forge), "not signed by your vendor");
});

test("what has expired is refused", { timeout: 40_000 }, async () => {
  const aged = await project.serve("--expired", "--no-watch", "--out", "out");
  const honest = proxy.upstream;
  try {
    await refused(() => { proxy.rule("/timestamp.json", (_, path) => path); proxy.upstream = aged.port; setTimeout(() => { proxy.upstream = honest; }, 4000); }, "was only good until");
  } finally {
    proxy.upstream = honest;
    aged.stop();
  }
});

test("an older state is not gone back to, and it is said that the server is behind", { timeout: 40_000 }, async () => {
  const old = (await proxy.get(`/t/${tenants[SMALL]}/timestamp.json`)).body;
  await republished(() => project.edit(tenantFile(SMALL), "seats: 22", "seats: 23"));
  await republished(() => project.edit(tenantFile(SMALL), "name: Umbra\n", "name: Umbra Due\n"));
  const page = await visit(await fresh(), proxy, tenants[SMALL]);
  await settled(page);
  assert.equal(await page.locator("h1").textContent(), "Umbra Due");
  proxy.rule("/timestamp.json", () => old);
  await page.getByRole("button", { name: "Check for updates" }).click();
  await page.locator(".status", { hasText: "Server is behind" }).click();
  await page.locator("dialog", { hasText: "older state than this device knows" }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("h1").textContent(), "Umbra Due");
});

test("what does not come up twice is gone back from, and something newer is taken", { timeout: 60_000 }, async () => {
  const name = (from, to) => republished(() => project.edit(tenantFile(SMALL), `name: ${from}\n`, `name: ${to}\n`));
  const page = await visit(await fresh(), proxy, tenants[SMALL]);
  await settled(page);
  const before = await page.locator("h1").textContent();
  await page.addInitScript(() => {
    const real = Element.prototype.replaceChildren;
    Element.prototype.replaceChildren = function (...nodes) {
      if (nodes.some((it) => it.textContent?.includes("Umbra Breaks"))) throw new Error("this page breaks");
      return real.apply(this, nodes);
    };
  });
  await page.reload();
  await page.locator(".grid").waitFor();
  const broke = page.waitForEvent("pageerror");
  await name(before, "Umbra Breaks");
  await broke;
  // The first time was the update while the page was open; this is the second.
  await page.reload();
  await page.locator("h1", { hasText: "This does not work" }).waitFor();
  await page.reload();
  await notice(page, "could not be started");
  assert.equal(await page.locator("h1").textContent(), before);
  await page.getByRole("button", { name: "Check for updates" }).click();
  await notice(page, "There is nothing new");
  assert.equal(await page.locator("h1").textContent(), before);
  await (await opened(page, "Inspection")).locator("body", { hasText: "Sopralluogo" }).waitFor();
  await page.locator(".back").click();
  await name("Umbra Breaks", "Umbra Terza");
  await page.locator("h1", { hasText: "Umbra Terza" }).waitFor();
});

test("a new device that is lied to shows nothing", { timeout: 40_000 }, async () => {
  const page = await (await fresh()).newPage();
  proxy.rule(`/t/${tenants[SMALL]}/timestamp.json`, (_, path) => path.replace(tenants[SMALL], tenants[REGULATED]));
  await page.goto(`${proxy.url}#t=${tenants[SMALL]}`);
  await page.locator("h1", { hasText: "Refused" }).waitFor();
  assert.match(await page.locator("main").textContent(), /made for another organisation/);
  proxy.heal();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".grid").waitFor();
});

test("a switch to another organisation leaves nothing of the one before", { timeout: 40_000 }, async () => {
  const context = await fresh();
  const page = await visit(context, proxy, tenants[SMALL]);
  await settled(page);
  await opened(page, "Inspection");
  const origin = new URL(framed(page).url()).origin;
  await framed(page).evaluate(() => {
    localStorage.setItem("secret", "of Umbra");
    indexedDB.open("secret");
    return caches.open("secret");
  });
  await page.locator(".back").click();
  await page.getByRole("button", { name: "Switch organisation" }).click();
  await page.getByRole("button", { name: "Remove and switch" }).click();
  await page.locator("#who").fill("aurora");
  await page.locator(".tenants").getByRole("button", { name: "Aurora Bank" }).click();
  await page.locator("h1", { hasText: "Aurora Bank" }).waitFor();
  await settled(page);
  const kept = await page.evaluate(async () => {
    const database = await new Promise((resolve) => (indexedDB.open("tenantry").onsuccess = (event) => resolve(event.target.result)));
    const files = database.transaction("files").objectStore("files");
    const ask = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const [names, values] = [await ask(files.getAllKeys()), await ask(files.getAll())];
    const text = (value) => (value instanceof Uint8Array ? new TextDecoder("latin1").decode(value) : JSON.stringify(value));
    return names.map((name, at) => `${name}\n${text(values[at])}`).join("\n");
  });
  assert.ok(!kept.includes("Umbra") && !kept.includes(tenants[SMALL]), "the shell remembers the one before");
  assert.deepEqual(await stored(page, origin), { local: 0, databases: [], caches: [] });
});

/** What an origin of programs stores, seen from the same shell; nothing there is asked to set anything up. */
async function stored(page, origin) {
  await page.evaluate((src) => {
    const frame = document.createElement("iframe");
    frame.id = "look";
    frame.src = `${src}/-/bridge.js`;
    document.body.append(frame);
    return new Promise((resolve) => (frame.onload = () => resolve()));
  }, origin);
  const frame = page.frames().find((it) => it.url().startsWith(origin));
  return frame.evaluate(async () => ({
    local: localStorage.length,
    databases: (await indexedDB.databases()).map((it) => it.name),
    caches: await caches.keys(),
  }));
}

test("everybody can use it: axe finds nothing, light and dark, large and small", { timeout: 40_000 }, async () => {
  const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
  const looks = [{ colorScheme: "light" }, { colorScheme: "dark", viewport: { width: 390, height: 800 } }];
  for (const look of looks) {
    const page = await (await fresh(look)).newPage();
    const check = async (what) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { iframes: false }));
      const found = violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ").slice(0, 300)}`);
      assert.deepEqual(found, [], `${what}, ${look.colorScheme}`);
    };
    await page.goto(proxy.url);
    await page.locator(".tenants button").first().waitFor();
    await check("the list of organisations");
    await page.locator("#who").fill("umbra");
    await page.keyboard.press("Enter");
    await page.locator(".grid").waitFor();
    await settled(page);
    await check("the programs");
    await page.getByRole("button", { name: "About Inspection" }).click();
    await check("about a program");
    await page.keyboard.press("Escape");
    // By keyboard alone: open, and back to where one was.
    await page.locator(".open", { hasText: "Inspection" }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".stage:not([aria-busy])").waitFor();
    await check("a program");
    await page.locator(".back").focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.app), "com.example.inspection");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
  }
});
