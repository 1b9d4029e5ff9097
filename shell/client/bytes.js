// Bytes and their spellings.

const encoder = new TextEncoder();

/** UTF-8 of a text. */
export const utf8 = (text) => encoder.encode(text);

/** The text of UTF-8 bytes; throws when they are none. A byte order mark stays, and is nothing that we read. */
export const text = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

/** Lower-case hex. */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Bytes of hex digits, in either case; null when it is no hex. */
export function unhex(digits) {
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/** Bytes of standard base64; null when it is none. */
export function unbase64(digits) {
  try {
    return Uint8Array.from(atob(digits), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** All of them, one after the other. */
export function concat(parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

const digest = async (name, bytes) => hex(new Uint8Array(await crypto.subtle.digest(name, bytes)));

/** SHA-256 in hex. */
export const sha256 = (bytes) => digest("SHA-256", bytes);

/** SHA-512 in hex. */
export const sha512 = (bytes) => digest("SHA-512", bytes);

/** The first 130 bits of a SHA-256 as a DNS label: 26 characters of a to z and 2 to 7. */
export async function label(bytes) {
  const digits = await sha256(bytes);
  const bits = BigInt(`0x${digits}`) >> 126n;
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  return Array.from({ length: 26 }, (_, at) => letters[Number((bits >> BigInt(125 - 5 * at)) & 31n)]).join("");
}
