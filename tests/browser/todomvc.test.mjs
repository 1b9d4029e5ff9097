// A catalogue that we did not write: the apps of TodoMVC. Whatever works by itself without a network, as static files
// on a server, works inside the shell.

import assert from "node:assert/strict";
import { createReadStream, cpSync, existsSync, readdirSync, statSync } from "node:fs";
import http from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";

import { device, framed, launch, Project, Proxy } from "./support.mjs";

const EXAMPLES = join(process.env.PARTS, "todomvc/package/examples");

/** How many apps of the package work by themselves, at least: fewer would say that the measure is broken. */
const LEAST = 20;

/** Fetches its parts by synchronous requests, which Chromium hands to no service worker; `docs/web-shell.md` says so. */
const SYNCHRONOUS = ["react-backbone"];

/** How many pages are looked at side by side. */
const HANDS = 5;

/** Where a new to-do is typed, in all of them. */
const FIELD = ".new-todo, #new-todo";

const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml" };

let project, server, proxy, browser, alone;

before(async () => {
  [project, browser, alone] = [new Project([]), await launch(), await files()];
  catalogue();
  server = await project.serve("--no-watch");
  proxy = await Proxy.start(server.port);
});

after(async () => {
  await browser?.close();
  [proxy, alone].forEach((it) => it?.stop());
  server?.stop();
  project?.remove();
});

const apps = () => readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, "index.html"))).sort();
const idOf = (name) => `org.todomvc.${name.replaceAll("_", "-")}`;

function catalogue() {
  const document = (kind, name, spec) => `apiVersion: tenantry.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${spec}`;
  project.write("tenantry.yaml", document("Project", "todomvc", "  { }\n"));
  project.write("catalog/shell.yaml", document("Shell", "web", "  platform_codes: [1]\n"));
  const granted = apps().map((name) => `    - app_id: ${idOf(name)}\n`).join("");
  project.write("catalog/plan.yaml", document("Plan", "all", `  lookup_key: all\n  mini_programs:\n${granted}`));
  project.write("tenants/everybody.yaml", document("Tenant", "everybody", "  tenant_id: t_everybody\n  plan: all\n"));
  for (const name of apps()) {
    const folder = `catalog/programs/${idOf(name)}`;
    project.write(`${folder}/program.yaml`, document("MiniProgram", idOf(name).replaceAll(".", "-"), `  app_id: ${idOf(name)}
  name: ${name}
  version: { code: 1, name: 1.0.0 }
  platform_version: { min_code: 1, target_code: 1 }
  pages: [index.html]
  review: { status: online }
  package: { path: app }
`));
    cpSync(join(EXAMPLES, name), join(project.folder, folder, "app"), { recursive: true });
  }
}

/** The same folders, each below a path of its own, as any server has them. */
async function files() {
  const listener = http.createServer((request, response) => {
    const path = join(EXAMPLES, decodeURIComponent(new URL(request.url, "http://x").pathname));
    const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "index.html") : path;
    if (!file.startsWith(EXAMPLES) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    return createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return { port: listener.address().port, stop: () => (listener.close(), listener.closeAllConnections()) };
}

/** Whether a to-do can be entered, and stands in the page. */
async function works(frame, patience) {
  const field = frame.locator(FIELD).first();
  const entered = frame.locator("li, .todo", { hasText: "Buy milk" }).first();
  const end = Date.now() + patience;
  // Some fields stand in the page before anybody listens to them, and some are replaced by another one meanwhile; what
  // is entered then is lost, so it is entered again.
  do {
    try {
      await field.click({ timeout: patience });
      await field.fill("");
      await field.pressSequentially("Buy milk");
      await field.press("Enter");
      await entered.waitFor({ timeout: 1500 });
      return true;
    } catch {
      // Once more, if there is time.
    }
  } while (Date.now() < end);
  return false;
}

/** The names for which it is true, several at a time. */
async function sift(names, is) {
  const [queue, found] = [[...names], []];
  const hand = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      if (await is(name)) found.push(name);
    }
  };
  await Promise.all(Array.from({ length: HANDS }, hand));
  return found.sort();
}

test("every app that works by itself works inside the shell", { timeout: 240_000 }, async (context) => {
  // By itself, with nobody else to be reached.
  const bare = await device(browser);
  await bare.route((url) => url.port !== String(alone.port), (route) => route.abort());
  const able = await sift(apps(), async (name) => {
    const page = await bare.newPage();
    await page.goto(`http://127.0.0.1:${alone.port}/${name}/`, { waitUntil: "commit" }).catch(() => {});
    const is = await works(page.mainFrame(), 1500);
    await page.close();
    return is;
  });
  await bare.close();
  const wanted = able.filter((it) => !SYNCHRONOUS.includes(it));
  assert.ok(able.length >= LEAST, `${able.length} of ${apps().length} work by themselves`);

  const shell = await device(browser);
  const first = await shell.newPage();
  const addr = project.tenants().everybody;
  await first.goto(`${proxy.url}#t=${addr}`);
  await first.locator(".grid").waitFor({ timeout: 60_000 });
  await first.close();
  const isInside = (patience) => async (name) => {
    const page = await shell.newPage();
    await page.goto(proxy.url);
    await page.locator(`[data-app="${idOf(name)}"]`).click();
    await page.locator(".stage:not([aria-busy])").waitFor();
    const is = await works(framed(page), patience);
    await page.close();
    return is;
  };
  const inside = await sift(wanted, isInside(4000));
  // On a busy machine an app may be slow among others; what does not work is tried once more, alone.
  for (const name of wanted.filter((it) => !inside.includes(it))) {
    if (await isInside(25_000)(name)) inside.push(name);
  }
  inside.sort();
  context.diagnostic(`${able.length} of ${apps().length} work by themselves, ${inside.length} of those inside the shell`);
  assert.deepEqual(inside, wanted);
});
