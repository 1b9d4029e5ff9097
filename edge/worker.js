/**
 * Admits a tenant's files to whoever has a token that names the tenant. README.md says when that is worth it.
 *
 * Bindings, all of them text but ORIGIN:
 *   ORIGIN_URL  where the store is, without a slash at the end; keys are appended
 *   ORIGIN      optional: a service to fetch from (workerd); without it the global fetch is used (Cloudflare)
 *   JWK         the public Ed25519 key of whoever issues tokens, as a JWK, or a JWK set while a key is being replaced
 *   AUDIENCE    optional: what `aud` of a token must be
 *   OPEN        optional: what needs no token at all, of "bundle" and "root", with a comma between
 */

/** Clocks differ. */
const SKEW_SECONDS = 60;
/** Longer than any token with these claims; nothing is decoded beyond. */
const MAX_TOKEN = 4096;
const MAX_KEYS = 4;
const COOKIE = "tenantry_token";

const ADDR = "[a-z2-7]{32}";
const DIGEST = "[0-9a-f]{64}";
/** Every path there is, what it is, and whose. What has none of these forms is never asked for. */
const PATHS = [
  { kind: "root", form: new RegExp(`^/root/[0-9]{1,9}\\.root\\.json$`) },
  { kind: "tenant", form: new RegExp(`^/t/(?<addr>${ADDR})/(?:timestamp|[0-9]{1,16}\\.(?:snapshot|targets))\\.json$`) },
  { kind: "tenant", form: new RegExp(`^/t/(?<addr>${ADDR})/(?<root>[0-9]{1,9}\\.root\\.json)$`) },
  { kind: "tenant", form: new RegExp(`^/o/${DIGEST}\\.(?<addr>${ADDR})\\.manifest\\.json$`) },
  { kind: "bundle", form: new RegExp(`^/o/${DIGEST}\\.${DIGEST}$`) },
];

/** What a client may ask of the store, and what of its answer a client may see. Everything else ends here. */
const ASKED = ["If-None-Match", "If-Range", "Range"];
const SHOWN = [
  "Accept-Ranges",
  "Age",
  "Cache-Control",
  "Content-Length",
  "Content-Range",
  "Content-Type",
  "ETag",
  "Last-Modified",
];

export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    const object = find(path);
    if (!object) return refuse(404, "not_found", "there is no such object");
    if (request.method === "OPTIONS") return preflight();
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refuse(405, "read_only", "objects can only be read", { Allow: "GET, HEAD, OPTIONS" });
    }
    const isOpen = (env.OPEN ?? "").split(",").some((it) => it.trim() === object.kind);
    if (!isOpen) {
      const refusal = await judge(request, env, object);
      if (refusal) return refusal;
    }
    return pass(request, env, object, isOpen);
  },
};

function find(path) {
  for (const { kind, form } of PATHS) {
    const found = form.exec(path);
    if (found) {
      const { addr, root } = found.groups ?? {};
      // Clients build the path of a root from that of their tenant; all tenants have the same roots.
      return { kind, addr, key: root ? `/root/${root}` : path };
    }
  }
  return undefined;
}

/** Why a request is not admitted; nothing when it is. */
async function judge(request, env, object) {
  let keys;
  try {
    keys = await keysOf(env.JWK);
  } catch (error) {
    console.error(`JWK: ${error.message}`);
    return refuse(500, "misconfigured", "the edge has no key to check tokens with");
  }
  const token = tokenOf(request.headers);
  if (!token) return unauthorised("token_missing", "a token is needed");
  const claims = await verify(token, keys);
  if (!claims) return unauthorised("token_invalid", "the token is not valid");
  const now = Date.now() / 1000;
  if (!isNumber(claims.exp) || now >= claims.exp + SKEW_SECONDS) {
    return unauthorised("token_expired", "the token has expired, or never says when it does");
  }
  if (claims.nbf !== undefined && (!isNumber(claims.nbf) || now < claims.nbf - SKEW_SECONDS)) {
    return unauthorised("token_too_early", "the token does not hold yet");
  }
  if (env.AUDIENCE && claims.aud !== env.AUDIENCE) {
    return unauthorised("token_invalid", "the token is meant for something else");
  }
  if (typeof claims.addr !== "string" || !new RegExp(`^${ADDR}$`).test(claims.addr)) {
    return unauthorised("token_invalid", "the token names no tenant");
  }
  if (object.addr && object.addr !== claims.addr) {
    return refuse(403, "other_tenant", "the token names another tenant");
  }
  return undefined;
}

/** `Authorization: Bearer`, or a cookie for pages that cannot send headers. */
function tokenOf(headers) {
  const authorization = headers.get("Authorization");
  if (authorization !== null) return /^Bearer +([^ ]+)$/i.exec(authorization)?.[1];
  const prefix = `${COOKIE}=`;
  const cookies = (headers.get("Cookie") ?? "").split(";").map((it) => it.trim()).filter((it) => it.startsWith(prefix));
  // Two are one too many: somebody else may have set the other.
  return cookies.length === 1 ? cookies[0].slice(prefix.length) : undefined;
}

/** The claims of a JWT (RFC 7519) that one of these keys has signed with EdDSA (RFC 8037). */
async function verify(token, keys) {
  if (token.length > MAX_TOKEN) return undefined;
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  const [header, claims] = parts.slice(0, 2).map(object);
  const signature = bytes(parts[2]);
  // The algorithm is ours to say; a header that wants another one, or more than we know of, is refused.
  if (!header || !claims || header.alg !== "EdDSA" || header.crit !== undefined) return undefined;
  if (!signature || signature.length !== 64) return undefined;
  const signed = new TextEncoder().encode(`${parts[0]}.${parts[1]}`);
  const fitting = keys.filter((it) => header.kid === undefined || it.kid === undefined || it.kid === header.kid);
  for (const { key } of fitting) {
    if (await crypto.subtle.verify({ name: "Ed25519" }, key, signature, signed)) return claims;
  }
  return undefined;
}

function object(part) {
  const decoded = bytes(part);
  if (!decoded) return undefined;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(decoded));
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** base64url without padding, and in its one spelling only. */
function bytes(part) {
  if (!/^[A-Za-z0-9_-]+$/.test(part) || part.length % 4 === 1) return undefined;
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  const again = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return again === part ? Uint8Array.from(text, (it) => it.charCodeAt(0)) : undefined;
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

let known = { text: undefined, keys: [] };

async function keysOf(text) {
  if (known.text === text && text !== undefined) return known.keys;
  const value = JSON.parse(text);
  const jwks = value.keys ?? [value];
  if (!Array.isArray(jwks) || jwks.length === 0 || jwks.length > MAX_KEYS) throw new Error("no keys, or too many");
  const keys = await Promise.all(jwks.map(importKey));
  known = { text, keys };
  return keys;
}

async function importKey({ kty, crv, x, d, kid }) {
  if (kty !== "OKP" || crv !== "Ed25519") throw new Error("not an Ed25519 key");
  if (d !== undefined) throw new Error("a private key; whoever reads the configuration could issue tokens");
  return { kid, key: await crypto.subtle.importKey("jwk", { kty, crv, x }, { name: "Ed25519" }, false, ["verify"]) };
}

/** Asks the store, with nothing of the client but its conditions, so that a cache has one entry for everybody. */
async function pass(request, env, object, isOpen) {
  // No path of ours holds a character that would have to be encoded. As it is stored: bundles are compressed already.
  const headers = new Headers({ "Accept-Encoding": "identity" });
  for (const name of ASKED) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const asked = new Request(env.ORIGIN_URL + object.key, { method: request.method, headers, redirect: "manual" });
  let answer;
  try {
    answer = await (env.ORIGIN ? env.ORIGIN.fetch(asked) : fetch(asked));
  } catch (error) {
    console.error(`origin: ${error.message}`);
    return refuse(502, "origin_away", "the store does not answer");
  }
  if (answer.status === 403 || answer.status === 404) {
    // A store answers 403 for what is missing to whoever may not list.
    return refuse(404, "not_found", "there is no such object", { "Cache-Control": "private, max-age=10" });
  }
  if (![200, 206, 304, 416].includes(answer.status)) {
    return refuse(502, "origin_failed", `the store answers ${answer.status}`);
  }
  const shown = new Headers(EVERYWHERE);
  for (const name of SHOWN) {
    const value = answer.headers.get(name);
    if (value !== null) shown.set(name, value);
  }
  if (!isOpen) shown.set("Cache-Control", privately(shown.get("Cache-Control")));
  const body = request.method === "HEAD" || answer.status === 304 ? null : answer.body;
  return new Response(body, { status: answer.status, headers: shown });
}

/** A cache between us and the client, who was asked for a token, must not answer others who have none. */
function privately(cacheControl) {
  const others = (cacheControl ?? "no-cache").split(",").map((it) => it.trim());
  return ["private", ...others.filter((it) => !/^(public|private|s-maxage=.*)$/i.test(it))].join(", ");
}

const EVERYWHERE = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "Accept-Ranges, Age, Content-Range, ETag",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "X-Content-Type-Options": "nosniff",
};

function preflight() {
  const headers = {
    ...EVERYWHERE,
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "86400",
  };
  return new Response(null, { status: 204, headers });
}

function unauthorised(error, message) {
  const challenge = error === "token_missing" ? "Bearer" : 'Bearer error="invalid_token"';
  return refuse(401, error, message, { "WWW-Authenticate": challenge });
}

function refuse(status, error, message, headers = {}) {
  const all = { ...EVERYWHERE, "Cache-Control": "no-store", "Content-Type": "application/json", ...headers };
  return new Response(`${JSON.stringify({ error, message })}\n`, { status, headers: all });
}
