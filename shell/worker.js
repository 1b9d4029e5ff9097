// Keeps the shell's own files, so that it starts without the network. What is verified is not its business: metadata
// and programs never pass through here.

/** Replaced by whoever deploys the shell: another text means other files, and all of them are fetched anew. */
const VERSION = "development";

const CACHE = `shell ${VERSION}`;
const FILES = [
  "./", "bridge.js", "config.json", "icon.svg", "main.js", "programs.js", "root.json", "shell.css", "view.js", "words.js",
  ...["blake3", "bytes", "chain", "client", "json", "judge", "keys", "manifest", "roles", "shelf", "time", "transport", "trouble", "updater", "zip"]
    .map((name) => `client/${name}.js`),
];

addEventListener("install", (event) => {
  const fetched = FILES.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fetched)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const drop = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("shell ") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(drop());
});

const here = new URL("./", location);

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs = url.origin === here.origin && url.pathname.startsWith(here.pathname);
  const file = url.pathname.slice(here.pathname.length) || "./";
  if (isOurs && event.request.method === "GET" && FILES.includes(file)) event.respondWith(kept(event.request, file));
});

async function kept(request, file) {
  const cache = await caches.open(CACHE);
  return (await cache.match(new URL(file, here))) ?? fetch(request);
}
