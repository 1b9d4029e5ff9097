// BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs), for the names of trees. WebCrypto has none.

import { hex, utf8 } from "./bytes.js";

const IV = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/** Which word of the message is used where, for all seven rounds. */
const SCHEDULE = new Uint8Array(7 * 16);
for (let round = 0; round < 7; round += 1) {
  for (let at = 0; at < 16; at += 1) {
    SCHEDULE[16 * round + at] = round === 0 ? at : SCHEDULE[16 * (round - 1) + PERMUTATION[at]];
  }
}

const [CHUNK_START, CHUNK_END, PARENT, ROOT, CONTEXT, MATERIAL] = [1, 2, 4, 8, 32, 64];
const [BLOCK, CHUNK] = [64, 1024];

const state = new Int32Array(16);
const message = new Int32Array(16);

function quarter(a, b, c, d, x, y) {
  let sa = state[a];
  let sb = state[b];
  let sc = state[c];
  let sd = state[d];
  sa = (sa + sb + x) | 0;
  sd ^= sa;
  sd = (sd >>> 16) | (sd << 16);
  sc = (sc + sd) | 0;
  sb ^= sc;
  sb = (sb >>> 12) | (sb << 20);
  sa = (sa + sb + y) | 0;
  sd ^= sa;
  sd = (sd >>> 8) | (sd << 24);
  sc = (sc + sd) | 0;
  sb ^= sc;
  sb = (sb >>> 7) | (sb << 25);
  state[a] = sa;
  state[b] = sb;
  state[c] = sc;
  state[d] = sd;
}

/** The first half of what the compression gives: no output of ours is longer than 32 bytes. */
function compress(chaining, counter, length, flags) {
  for (let at = 0; at < 8; at += 1) state[at] = chaining[at];
  for (let at = 0; at < 4; at += 1) state[8 + at] = IV[at];
  state[12] = counter;
  state[13] = Math.floor(counter / 2 ** 32);
  state[14] = length;
  state[15] = flags;
  for (let at = 0; at < SCHEDULE.length; at += 16) {
    quarter(0, 4, 8, 12, message[SCHEDULE[at]], message[SCHEDULE[at + 1]]);
    quarter(1, 5, 9, 13, message[SCHEDULE[at + 2]], message[SCHEDULE[at + 3]]);
    quarter(2, 6, 10, 14, message[SCHEDULE[at + 4]], message[SCHEDULE[at + 5]]);
    quarter(3, 7, 11, 15, message[SCHEDULE[at + 6]], message[SCHEDULE[at + 7]]);
    quarter(0, 5, 10, 15, message[SCHEDULE[at + 8]], message[SCHEDULE[at + 9]]);
    quarter(1, 6, 11, 12, message[SCHEDULE[at + 10]], message[SCHEDULE[at + 11]]);
    quarter(2, 7, 8, 13, message[SCHEDULE[at + 12]], message[SCHEDULE[at + 13]]);
    quarter(3, 4, 9, 14, message[SCHEDULE[at + 14]], message[SCHEDULE[at + 15]]);
  }
  const half = new Int32Array(8);
  for (let at = 0; at < 8; at += 1) half[at] = state[at] ^ state[at + 8];
  return half;
}

/** The chaining value of a chunk, or of the only one. */
function chunk(bytes, begin, end, index, key, flags, last) {
  let chaining = key;
  let at = begin;
  do {
    const length = Math.min(BLOCK, end - at);
    message.fill(0);
    for (let byte = 0; byte < length; byte += 1) message[byte >> 2] |= bytes[at + byte] << (8 * (byte & 3));
    const place = (at === begin ? CHUNK_START : 0) | (at + length === end ? CHUNK_END | last : 0);
    chaining = compress(chaining, index, length, flags | place);
    at += length;
  } while (at < end);
  return chaining;
}

function tree(bytes, begin, end, key, flags, last) {
  const length = end - begin;
  if (length <= CHUNK) return chunk(bytes, begin, end, begin / CHUNK, key, flags, last);
  // The left side is the largest whole tree that leaves something to the right.
  const left = CHUNK * 2 ** Math.floor(Math.log2(Math.ceil(length / CHUNK) - 1));
  const sides = [tree(bytes, begin, begin + left, key, flags, 0), tree(bytes, begin + left, end, key, flags, 0)];
  message.set(sides[0]);
  message.set(sides[1], 8);
  return compress(key, 0, BLOCK, flags | PARENT | last);
}

const words = (bytes, key, flags) => tree(bytes, 0, bytes.length, key, flags, ROOT);

const spell = (chaining) => {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  chaining.forEach((word, at) => view.setInt32(4 * at, word, true));
  return hex(bytes);
};

/** The digest of some bytes, in hex. */
export const blake3 = (bytes) => spell(words(bytes, IV, 0));

/** The digest of some bytes for one purpose (the mode `derive_key`), in hex. */
export const blake3For = (purpose, bytes) => spell(words(bytes, words(utf8(purpose), IV, CONTEXT), MATERIAL));
