// Public keys of the kinds that TUF names (1.0.34, section 4.3), and whether they made a signature: by WebCrypto.
//
// A key of another kind, or one that cannot be read, is a key that never verifies: no reason to refuse its file.

import { hex, unbase64, unhex } from "./bytes.js";
import { Fields } from "./json.js";

const KINDS = {
  ed25519: { ed25519: ed25519 },
  ecdsa: { "ecdsa-sha2-nistp256": elliptic("P-256", "SHA-256", 32), "ecdsa-sha2-nistp384": elliptic("P-384", "SHA-384", 48) },
  "ecdsa-sha2-nistp256": { "ecdsa-sha2-nistp256": elliptic("P-256", "SHA-256", 32) },
  "ecdsa-sha2-nistp384": { "ecdsa-sha2-nistp384": elliptic("P-384", "SHA-384", 48) },
  rsa: { "rsassa-pss-sha256": rsa("RSA-PSS"), "rsa-pkcs1v15-sha256": rsa("RSASSA-PKCS1-v1_5") },
};

/**
 * Reads a key object: `{ public, verifies(message, signature) }`, where `public` is the key itself, however it was
 * written, so that two entries with the same key are one. Null for a key that cannot be used.
 */
export async function readKey(json) {
  try {
    const fields = new Fields(json, "keys");
    const kinds = Object.hasOwn(KINDS, fields.text("keytype")) ? KINDS[fields.text("keytype")] : {};
    const read = Object.hasOwn(kinds, fields.text("scheme")) ? kinds[fields.text("scheme")] : null;
    return read && (await read(fields.map("keyval").text("public")));
  } catch {
    return null;
  }
}

/** Points of small order, in every spelling: a key among them "signs" everything. The sign bit is not looked at. */
const SMALL = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ...["ec", "ed", "ee"].map((first) => `${first}${"ff".repeat(30)}7f`),
]);

const isSmall = (point) => SMALL.has(hex([...point.subarray(0, 31), point[31] & 0x7f]));

async function ed25519(text) {
  const raw = unhex(text);
  if (raw?.length !== 32 || isSmall(raw)) return null;
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  const isPlausible = (signature) => signature.length === 64 && !isSmall(signature.subarray(0, 32));
  return {
    public: `ed25519:${hex(raw)}`,
    verifies: async (message, signature) => isPlausible(signature) && crypto.subtle.verify("Ed25519", key, signature, message),
  };
}

function elliptic(namedCurve, hash, size) {
  return async (text) => {
    const key = await crypto.subtle.importKey("spki", pem(text), { name: "ECDSA", namedCurve }, true, ["verify"]);
    return {
      public: `${namedCurve}:${hex(new Uint8Array(await crypto.subtle.exportKey("raw", key)))}`,
      verifies: async (message, signature) => {
        const plain = pair(signature, size);
        return plain !== null && crypto.subtle.verify({ name: "ECDSA", hash }, key, plain, message);
      },
    };
  };
}

function rsa(name) {
  return async (text) => {
    const key = await crypto.subtle.importKey("spki", pem(text), { name, hash: "SHA-256" }, true, ["verify"]);
    const bits = key.algorithm.modulusLength;
    if (bits < 2048 || bits > 8192) return null;
    // As long as the modulus (RFC 8017, 8.1.2 and 8.2.2, step 1): OpenSSL also takes one without its leading zeros.
    const isPlausible = (signature) => signature.length === Math.ceil(bits / 8);
    return {
      public: `rsa:${hex(new Uint8Array(await crypto.subtle.exportKey("spki", key)))}`,
      verifies: async (message, signature) =>
        isPlausible(signature) && crypto.subtle.verify({ name, saltLength: 32 }, key, signature, message),
    };
  };
}

function pem(text) {
  const body = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----$/.exec(text.trim());
  const der = body && unbase64(body[1].replace(/\s/g, ""));
  if (!der) throw new Error("no public key in PEM");
  return der;
}

/** The two numbers of an ECDSA signature (DER, as TUF has it) one after the other, as WebCrypto has it; or null. */
function pair(der, size) {
  const isSequence = der[0] === 0x30 && der[1] < 0x80 && der[1] === der.length - 2;
  const plain = new Uint8Array(2 * size);
  let at = 2;
  for (const end of [size, 2 * size]) {
    const length = der[at + 1];
    const number = der.subarray(at + 2, at + 2 + length);
    const isMinimal = number[0] < 0x80 && (number[0] !== 0 || number.length === 1 || number[1] >= 0x80);
    const digits = number[0] === 0 ? number.subarray(1) : number;
    const isInteger = der[at] === 0x02 && length > 0 && number.length === length && isMinimal && digits.length <= size;
    if (!isSequence || !isInteger) return null;
    plain.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? plain : null;
}
