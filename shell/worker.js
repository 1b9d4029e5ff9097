// Keeps the shell's own page, in which all of the shell is, so that it starts without the network. What is verified is
// not its business: metadata and programs never pass through here.

/** Another text means another page, which is fetched anew. Whoever puts the files together writes their digest here. */
const VERSION = "development";

const CACHE = `shell ${VERSION}`;
const PAGE = new URL("./", location).href;

addEventListener("install", (event) => {
  const fetched = new Request(PAGE, { cache: "no-cache" });
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add(fetched)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const drop = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("shell ") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(drop());
});

addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.split("#")[0] === PAGE) event.respondWith(kept(event.request));
});

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(PAGE)) ?? fetch(request);
}
