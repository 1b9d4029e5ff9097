// The service worker of a program's own origin: serves the program's verified files, and nothing else.
//
// A program can write to everything that its origin stores, this worker's records too. So nothing stored is believed:
// the name of the origin is a digest of the tenant, the place and a key of the shell, which gives each place to one
// program and no other; a policy counts only if that key has signed it; a file is served only if the policy names its
// digest. A program that changes what is stored is not served any more. Only the server of the origin could change this
// script, and it serves these files to everybody.

const DATABASE = "tenantry-program";

/** These two files, as text: whoever puts the files together writes it here. So no page waits for another request. */
const HOST = { page: "-/host.html", rules: "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *" };
const BRIDGE = "-/bridge.js";

const NOTHING = "default-src 'none'; frame-ancestors *";

const TYPES = {
  avif: "image/avif", css: "text/css; charset=utf-8", gif: "image/gif", htm: "text/html; charset=utf-8",
  html: "text/html; charset=utf-8", ico: "image/x-icon", jpeg: "image/jpeg", jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8", json: "application/json", map: "application/json", mjs: "text/javascript; charset=utf-8",
  mp3: "audio/mpeg", mp4: "video/mp4", ogg: "audio/ogg", otf: "font/otf", pdf: "application/pdf", png: "image/png",
  svg: "image/svg+xml", ttf: "font/ttf", txt: "text/plain; charset=utf-8", wasm: "application/wasm", wav: "audio/wav",
  webm: "video/webm", webmanifest: "application/manifest+json", webp: "image/webp", woff: "font/woff", woff2: "font/woff2",
  xml: "application/xml",
};

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  // Other hosts are a matter of the rules that each page, and each worker of it, comes with.
  if (url.origin !== location.origin) return;
  if (url.pathname === "/-/host.html") event.respondWith(host());
  else event.respondWith(inside(event, url));
});

/** The page of the shell's, always under its own rules: a program that can reach into it gains nothing. */
function host() {
  const headers = { "content-type": TYPES.html, "content-security-policy": HOST.rules, "x-content-type-options": "nosniff" };
  return new Response(HOST.page, { headers });
}

const prefixOf = (url) => /^\/([0-9a-f]{32})(?:\/|$)/.exec(url.pathname)?.[1] ?? null;

/** A file of the program. A path without the name of a version belongs to the version that asks for it. */
async function inside(event, url) {
  const prefix = prefixOf(url) ?? (await askedFrom(event));
  const policy = prefix && (await policyOf(prefix));
  if (!policy) return refused(404, "there is no such program");
  if (event.request.mode === "navigate" && prefixOf(url) === null) {
    return Response.redirect(`/${prefix}${url.pathname}${url.search}`);
  }
  const below = decodeURIComponent(prefixOf(url) ? url.pathname.slice(prefix.length + 2) : url.pathname.slice(1));
  const path = below === "" || below.endsWith("/") ? `${below}index.html` : below;
  const bytes = Object.hasOwn(policy.files, path) ? await stored("files", [prefix, path]) : null;
  if (!bytes || (await digest(bytes)) !== policy.files[path]) return refused(404, "there is no such file");
  return served(path, bytes, policy);
}

async function askedFrom(event) {
  const client = await clients.get(event.clientId);
  const from = client?.url ?? event.request.referrer;
  return from && from.startsWith(location.origin) ? prefixOf(new URL(from)) : null;
}

function served(path, bytes, policy) {
  const type = TYPES[path.split(".").pop().toLowerCase()] ?? "application/octet-stream";
  const headers = {
    "cache-control": "no-cache",
    "content-security-policy": rules(policy),
    "content-type": type,
    "origin-agent-cluster": "?1",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
  };
  return new Response(type.startsWith("text/html") ? withBridge(bytes) : bytes, { headers });
}

const refused = (status, why) =>
  new Response(`${why}\n`, { status, headers: { "content-security-policy": NOTHING, "content-type": "text/plain" } });

/** What a page of the program may load and reach. */
function rules({ egress, shell }) {
  const isLocal = (host) => /^(localhost|127\.0\.0\.1)(:|$)/.test(host);
  const hosts = egress.flatMap((host) => (isLocal(host) ? [`http://${host}`, `ws://${host}`] : [`https://${host}`, `wss://${host}`]));
  const own = "'self' data: blob:";
  const outside = [own, ...hosts].join(" ");
  return [
    "default-src 'none'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
    "style-src 'self' 'unsafe-inline' blob: data:",
    `connect-src ${outside}`,
    `img-src ${outside}`,
    `media-src ${outside}`,
    `font-src ${own}`,
    "manifest-src 'self'",
    "frame-src 'self' blob:",
    "worker-src 'self' blob:",
    "form-action 'self'",
    "base-uri 'self'",
    `frame-ancestors 'self' ${shell}`,
  ].join("; ");
}

/** The page with the bridge before its own scripts. */
function withBridge(bytes) {
  const html = new TextDecoder().decode(bytes);
  const head = /<head(?:\s[^>]*)?>/i.exec(html) ?? /<!doctype[^>]*>/i.exec(html);
  const at = head ? head.index + head[0].length : 0;
  return `${html.slice(0, at)}<script>${BRIDGE}</script>${html.slice(at)}`;
}

const verified = new Map();

/** The policy of a version, if this origin is the one that it was signed for; else null. */
async function policyOf(prefix) {
  if (!verified.has(prefix)) {
    const policy = await signed(prefix).catch(() => null);
    if (!policy) return null;
    verified.set(prefix, policy);
  }
  return verified.get(prefix);
}

async function signed(prefix) {
  const { text, signature, key } = (await stored("policies", prefix)) ?? {};
  if (!text || !prefix || !(await digest(text)).startsWith(prefix)) return null;
  const policy = JSON.parse(new TextDecoder().decode(text));
  const own = `${policy.addr}\n${policy.place}\n${hex(key)}`;
  if ((await label(new TextEncoder().encode(own))) !== location.hostname.split(".")[0]) return null;
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["verify"]);
  return (await crypto.subtle.verify(algorithm, imported, signature, text)) ? policy : null;
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const digest = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

/** The first 130 bits of a SHA-256 as a DNS label; `label` of shell/client/bytes.js. */
async function label(bytes) {
  const bits = BigInt(`0x${await digest(bytes)}`) >> 126n;
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  return Array.from({ length: 26 }, (_, at) => letters[Number((bits >> BigInt(125 - 5 * at)) & 31n)]).join("");
}

let database = null;

async function stored(store, key) {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("policies");
      request.result.createObjectStore("files");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => {
        request.result.close();
        database = null;
        verified.clear();
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  const request = (await database).transaction(store).objectStore(store).get(key);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
