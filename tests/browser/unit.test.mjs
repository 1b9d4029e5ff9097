// What the client in `shell/client` reads and reckons, held to the vectors of the standards and to the Rust code.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { test } from "node:test";

import { blake3, blake3For } from "../../shell/client/blake3.js";
import { hex, label, text, utf8 } from "../../shell/client/bytes.js";
import { canonical, parse } from "../../shell/client/json.js";
import { clock, Judge } from "../../shell/client/judge.js";
import { readKey } from "../../shell/client/keys.js";
import { bucketOf, LAST, lineUp } from "../../shell/client/manifest.js";
import { starts } from "../../shell/client/starts.js";
import { duration, instant, spelled } from "../../shell/client/time.js";
import { Transport } from "../../shell/client/transport.js";
import { isBundlePath } from "../../shell/client/zip.js";

const read = (source) => parse(utf8(source));

test("canonical JSON is sorted by bytes, compact, and escapes two characters only", () => {
  const source = ' { "b" : [ 1 , -2, true, null ] , "a" : "\\u0041\\n\\"\\\\\\/" , "\\ue000": 18446744073709551615, "\\ud83d\\ude00": 0 } ';
  const spelling = '{"a":"A\n\\"\\\\/","b":[1,-2,true,null],"\ue000":18446744073709551615,"\u{1f600}":0}';
  assert.equal(text(canonical(read(source))), spelling);
});

test("JSON that has no single meaning is refused", () => {
  const sources = [
    '{"a":1,"a":1}', '{"x":{"a":1,"\\u0061":2}}', "1.0", "1e3", "-0", "01", "18446744073709551616", "NaN", '"\\ud800"', '"a\nb"',
    "{} {}", "", "[1,]", '{"a":1,}', "\ufeff{}", "[".repeat(200_000), "tree", '"unended', "{1:2}",
  ];
  for (const source of sources) assert.throws(() => read(source), /not JSON/, source.slice(0, 20));
  assert.throws(() => parse(Uint8Array.of(0x22, 0xff, 0x22)), /UTF-8/);
});

test("BLAKE3 is that of its specification", () => {
  const bytes = (length) => Uint8Array.from({ length }, (_, at) => at % 251);
  assert.equal(blake3(bytes(0)), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  assert.equal(blake3(bytes(1025)), "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444");
  assert.equal(blake3(bytes(31744)), "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47");
  const purpose = "BLAKE3 2019-12-27 16:29:52 test vectors context";
  assert.equal(blake3For(purpose, bytes(1025)), "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb");
});

const key = (keytype, scheme, value) => readKey(new Map([["keytype", keytype], ["scheme", scheme], ["keyval", new Map([["public", value]])]]));
const pem = (pair) => pair.publicKey.export({ type: "spki", format: "pem" });

test("a set that fails twice is given up for a day, and none that was confirmed ever is", () => {
  const [DAY, NOW] = [86_400, 1_000_000];
  const once = starts.counted(starts.activated(starts.confirmed(starts.none, "a"), "b"), "b");
  const twice = starts.counted(once, "b");
  assert.deepEqual([once, twice].map((it) => starts.hasFailed(it, "b")), [false, true]);
  assert.equal(starts.hasFailed(starts.counted(starts.counted(starts.confirmed(twice, "b"), "b"), "a"), "a"), false);
  assert.equal(starts.isConfirmed(starts.confirmed(twice, "b"), "b"), true);
  const back = starts.givenUp(twice, "b", "a", NOW);
  assert.deepEqual(back, { bad: [{ set: "b", since: NOW }], confirmed: true, set: "a", unconfirmed: 0 });
  // The pointer may not have moved yet when the power went.
  assert.equal(starts.hasFailed(back, "b"), true);
  assert.deepEqual([NOW - 1, NOW, NOW + DAY - 1, NOW + DAY].map((now) => starts.heldBack(back, "b", now)), [null, NOW + DAY, NOW + DAY, null]);
  assert.equal(starts.heldBack(back, "c", NOW), null);
  assert.deepEqual(starts.activated(back, "b"), { bad: [], confirmed: false, set: "b", unconfirmed: 0 });
  const many = Array.from({ length: 20 }, (_, at) => at).reduce((record, at) => starts.givenUp(record, `s${at}`, "a", NOW), starts.none);
  assert.deepEqual(many.bad.map((it) => it.set), Array.from({ length: 16 }, (_, at) => `s${at + 4}`));
});

test("keys of every kind verify what they signed and nothing else", async () => {
  const [yes, no] = [utf8("yes"), utf8("no")];
  const kinds = [
    ["ecdsa", "ecdsa-sha2-nistp256", generateKeyPairSync("ec", { namedCurve: "P-256" }), "sha256", {}],
    ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", generateKeyPairSync("ec", { namedCurve: "P-256" }), "sha256", {}],
    ["ecdsa", "ecdsa-sha2-nistp384", generateKeyPairSync("ec", { namedCurve: "P-384" }), "sha384", {}],
    ["rsa", "rsassa-pss-sha256", generateKeyPairSync("rsa", { modulusLength: 2048 }), "sha256", { padding: 6, saltLength: 32 }],
    ["rsa", "rsa-pkcs1v15-sha256", generateKeyPairSync("rsa", { modulusLength: 2048 }), "sha256", {}],
  ];
  for (const [keytype, scheme, pair, hash, more] of kinds) {
    const ours = await key(keytype, scheme, pem(pair));
    // Some signatures, since the numbers in one of ECDSA have no fixed length.
    for (let round = 0; round < 20; round += 1) {
      const made = new Uint8Array(sign(hash, yes, { key: pair.privateKey, ...more }));
      assert.ok(await ours.verifies(yes, made), scheme);
      assert.ok(!(await ours.verifies(no, made)), scheme);
      assert.ok(!(await ours.verifies(yes, made.subarray(1))), scheme);
      assert.ok(!(await ours.verifies(yes, new Uint8Array([...made, 0]))), scheme);
    }
    assert.ok(!(await ours.verifies(yes, new Uint8Array())), scheme);
  }
  const pair = generateKeyPairSync("ed25519");
  const raw = hex(pair.publicKey.export({ type: "spki", format: "der" }).subarray(12));
  const ours = await key("ed25519", "ed25519", raw);
  const made = new Uint8Array(sign(null, yes, pair.privateKey));
  assert.ok((await ours.verifies(yes, made)) && !(await ours.verifies(no, made)));
});

test("a signature of RSA without its leading zero is none", async () => {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  for (const [scheme, more] of [["rsassa-pss-sha256", { padding: 6, saltLength: 32 }], ["rsa-pkcs1v15-sha256", {}]]) {
    const ours = await key("rsa", scheme, pem(pair));
    // One in 256 begins with a zero.
    let [message, made] = [null, [1]];
    for (let round = 0; made[0] !== 0; round += 1) {
      message = utf8(`message ${round}`);
      made = new Uint8Array(sign("sha256", message, { key: pair.privateKey, ...more }));
    }
    assert.ok(await ours.verifies(message, made), scheme);
    assert.ok(!(await ours.verifies(message, made.subarray(1))), scheme);
  }
});

test("what is no key of its kind is no key", async () => {
  const sound = pem(generateKeyPairSync("ec", { namedCurve: "P-256" }));
  assert.equal(await key("ecdsa", "ecdsa-sha2-nistp384", sound), null);
  assert.equal(await key("rsa", "rsassa-pss-sha256", sound), null);
  assert.equal(await key("ecdsa", "ecdsa-sha2-nistp256", sound.replace("PUBLIC", "PRIVATE")), null);
  assert.equal(await key("rsa", "rsassa-pss-sha256", pem(generateKeyPairSync("rsa", { modulusLength: 1024 }))), null);
  assert.equal(await key("__proto__", "constructor", sound), null);
  // Points of small order "sign" everything.
  for (const weak of [`01${"00".repeat(31)}`, `01${"00".repeat(30)}80`, "00".repeat(32), `ec${"ff".repeat(30)}7f`]) {
    assert.equal(await key("ed25519", "ed25519", weak), null, weak);
  }
  assert.equal(await readKey(null), null);
});

test("instants have one spelling, and durations a fixed length", () => {
  assert.equal(spelled(instant("2028-02-29T23:59:59Z")), "2028-02-29T23:59:59Z");
  const wrong = ["2027-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "2026-01-01T00:00:00+00:00", "2026-1-1T00:00:00Z"];
  for (const one of wrong) assert.equal(instant(one), null, one);
  assert.deepEqual(["P14D", "P1W", "PT36H", "P1DT1M1S"].map(duration), [14 * 86400, 7 * 86400, 36 * 3600, 86461]);
  for (const one of ["P", "PT", "P1M", "P1Y", "14D", "P1D "]) assert.equal(duration(one), null, one);
});

test("a path stays in its bundle, and is safe on every system", () => {
  for (const path of ["pages/über uns.html", "a", "a/b/c.js", ".well-known/x"]) assert.ok(isBundlePath(path), path);
  for (const path of ["../x", "a/./b", "/a", "C:/x", "a//b", "", "a\\b", "a\0b", "aux.html", "com1", "a/b.", "what?.html", "a/", "x".repeat(256)]) {
    assert.ok(!isBundlePath(path), path);
  }
});

test("a clock that was set back changes nothing, and one far ahead is not remembered", () => {
  const day = (count) => instant("2026-11-01T00:00:00Z") + 86400 * count;
  const known = (seen) => ({ seen: seen === null ? null : day(seen), least: day(0), freshUntil: day(7), graceUntil: day(21) });
  assert.equal(clock.forStart(known(9), 0), day(9));
  assert.equal(clock.forStart(known(null), 0), day(0));
  assert.equal(clock.forRefresh(known(9), day(1)), day(7));
  assert.equal(clock.remember(known(5), instant("2099-01-01T00:00:00Z")), null);
  assert.equal(clock.remember(known(5), day(300)), day(21));
  assert.equal(clock.remember(known(5), day(5) + 3599), null);
  assert.equal(clock.remember(known(5), day(5) + 3600), day(5) + 3600);
});

test("windows and grace have their beginning and not their end, and the stricter revocation counts", () => {
  const program = {
    app_id: "com.example.chat", valid_from: "2026-01-01T00:00:00Z", valid_until: "2027-01-01T00:00:00Z",
    release: { version: { code: 2 }, platform_version: { min_code: 10, max_code: 19 }, update_policy: { mode: "background" } },
  };
  const verdict = (now, { revoked = [], platform = 12 } = {}) => {
    const newest = { programs: [program], revoked, offline: { grace: "P14D", expiration_strategy: "revoke" } };
    return new Judge(newest, instant("2026-12-01T00:00:00Z"), instant(now)).verdict(program, platform).is;
  };
  assert.equal(verdict("2025-12-31T23:59:59Z"), "not_begun");
  assert.equal(verdict("2026-01-01T00:00:00Z"), "runs");
  assert.equal(verdict("2026-12-14T23:59:59Z"), "runs");
  assert.equal(verdict("2026-12-15T00:00:00Z"), "grace_over");
  assert.equal(verdict("2027-01-01T00:00:00Z"), "ended");
  assert.equal(verdict("2026-11-23T00:00:00Z", { platform: 20 }), "no_release");
  const entry = (code, mode) => ({ app_id: "com.example.chat", code, mode });
  assert.equal(verdict("2026-11-23T00:00:00Z", { revoked: [entry(1, "block"), entry(2, "drain"), entry(2, "block")] }), "revoked");
  assert.equal(verdict("2026-11-23T00:00:00Z", { revoked: [entry(1, "block")] }), "runs");
});

test("the name of an origin is one that DNS takes", async () => {
  assert.equal(await label(utf8("")), "4oymiquy7qobjgx36tejs35zeq");
});

test("buckets are those that are published, and a device takes the line-up of the first share that it is among", async () => {
  const { vectors } = JSON.parse(readFileSync(new URL("../../docs/rollout-vectors.json", import.meta.url), "utf8"));
  assert.ok(vectors.length > 20);
  for (const { addr, unit, bucket } of vectors) assert.equal(await bucketOf(addr, unit), bucket, unit);
  const program = (app_id, code) => ({ app_id, version: { code } });
  const manifest = {
    mini_programs: [program("a", 1), program("b", 1), program("c", 1)],
    cohorts: [
      { percent: 20, mini_programs: [program("a", 2), program("d", 1)], without: ["c"] },
      { percent: 50, mini_programs: [program("a", 2)] },
    ],
  };
  const taken = (bucket) => lineUp(manifest, bucket).map((it) => `${it.app_id}${it.version.code}`).sort().join(" ");
  const places = [0, 1999, 2000, 4999, 5000, LAST].map(taken);
  assert.deepEqual(places, ["a2 b1 d1", "a2 b1 d1", "a2 b1 c1", "a2 b1 c1", "a1 b1 c1", "a1 b1 c1"]);
  assert.equal(lineUp({ mini_programs: manifest.mini_programs }, 0).length, 3);
});

/** A server that answers each path with a number that grows, and never answers `/slow`. */
async function counting() {
  const [asked, gone] = [[], []];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    if (request.url !== "/slow") response.end(`${request.url} ${asked.length}`);
    request.socket.once("close", () => gone.push(request.url));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  /** Does something, and waits until it has been asked for. */
  const after = async (act) => {
    const before = asked.length;
    act();
    while (asked.length === before) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  return { gone, after, url: `http://127.0.0.1:${server.address().port}/`, stop: () => (server.close(), server.closeAllConnections()) };
}

test("what is asked for ahead is taken once, by whoever asks for just that, and past no cache", async () => {
  const server = await counting();
  const transport = new Transport(server.url);
  const get = async (path, caches = "allowed") => text(await transport.get(path, 100, caches));
  const ahead = (path, max) => server.after(() => transport.ahead(path, max, "allowed"));
  await ahead("guess", 100);
  await ahead("wrong", 100);
  await ahead("short", 3);
  assert.equal(await get("right"), "/right 4");
  assert.equal(await get("guess"), "/guess 1");
  assert.equal(await get("guess"), "/guess 5");
  await ahead("mended", 100);
  assert.equal(await get("mended", "bypassed"), "/mended 7");
  // Its limit was another one: whoever asked with a right one is told, and asks again past caches.
  await assert.rejects(transport.get("short", 100, "allowed"), { code: "too-long" });
  await ahead("slow", 100);
  transport.close();
  while (!server.gone.includes("/slow")) await new Promise((resolve) => setTimeout(resolve, 2));
  server.stop();
});

test("an answer that was asked for early counts once, while it is young, and past no cache", async () => {
  const server = await counting();
  const early = new Map();
  const ask = (path, at = performance.now()) =>
    server.after(() => early.set(server.url + path, { answer: fetch(server.url + path), abort: new AbortController(), at }));
  const get = async (path, caches = "allowed") => text(await new Transport(server.url, undefined, early).get(path, 100, caches));
  await ask("young");
  assert.equal(await get("young"), "/young 1");
  assert.equal(await get("young"), "/young 2");
  await ask("old", performance.now() - 60_000);
  assert.equal(await get("old"), "/old 4");
  await ask("mended");
  assert.equal(await get("mended", "bypassed"), "/mended 6");
  assert.equal(early.size, 0);
  server.stop();
});
