// Archives taken apart, as `src/bundle.rs` does it: whatever the compiler never writes is refused.

import { blake3For } from "./blake3.js";
import { concat, text, utf8 } from "./bytes.js";

/** Most bytes that are inflated. */
const MAX_UNPACKED = 512 * 2 ** 20;

/** Why bytes are no archive of ours. */
export class BadArchive extends Error {}

/** The files of an archive by their path, sorted. */
export async function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map();
  let left = MAX_UNPACKED;
  try {
    for (const entry of directory(view, bytes)) {
      const path = checkedPath(entry);
      if (files.has(path)) throw new BadArchive(`\`${path}\` is there twice`);
      left -= entry.size;
      if (left < 0) throw new BadArchive("it unpacks to more than 512 MiB");
      files.set(path, await content(view, bytes, entry));
    }
  } catch (error) {
    throw error instanceof BadArchive ? error : new BadArchive(`it cannot be read: ${error.message}`);
  }
  return new Map([...files].sort(([one], [other]) => order(utf8(one), utf8(other))));
}

/** The digest of a tree of files (sorted paths, lengths and bytes): the name of an archive among the targets. */
export function treeDigest(files) {
  const part = (bytes) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
    return [length, bytes];
  };
  const parts = [...files].flatMap(([path, bytes]) => [...part(utf8(path)), ...part(bytes)]);
  return blake3For("tenantry.dev 2026-11 bundle tree v1", concat(parts));
}

function order(one, other) {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length - other.length : one[at] - (other[at] ?? -1);
}

const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const [END_SIZE, ENTRY_SIZE, LOCAL_SIZE] = [22, 46, 30];
const [STORED, DEFLATED] = [0, 8];

function* directory(view, bytes) {
  const end = bytes.length - END_SIZE;
  if (end < 0 || view.getUint32(end, true) !== END) throw new BadArchive("it is no ZIP without a comment");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let entry = 0; entry < count; entry += 1) {
    if (view.getUint32(at, true) !== ENTRY) throw new BadArchive("its directory is damaged");
    const length = view.getUint16(at + 28, true);
    yield {
      name: text(bytes.subarray(at + ENTRY_SIZE, at + ENTRY_SIZE + length)),
      isPlain: (view.getUint16(at + 8, true) & 1) === 0,
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      // Upper half of the attributes: the mode on Unix. 0 where the other system has none, else a regular file.
      kind: (view.getUint16(at + 40, true) & 0xf000) >> 12,
      at: view.getUint32(at + 42, true),
    };
    at += ENTRY_SIZE + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  if (at !== end) throw new BadArchive("its directory is damaged");
}

async function content(view, bytes, { name, isPlain, method, packed, size, at }) {
  if (view.getUint32(at, true) !== LOCAL || !isPlain) throw new BadArchive(`entry \`${name}\` cannot be read`);
  const begin = at + LOCAL_SIZE + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  const raw = bytes.subarray(begin, begin + packed);
  if (raw.length !== packed) throw new BadArchive(`entry \`${name}\` is cut short`);
  const file = method === STORED ? raw : method === DEFLATED ? await inflate(raw, size) : null;
  if (file?.length !== size) throw new BadArchive(`entry \`${name}\` cannot be read`);
  return file;
}

async function inflate(raw, size) {
  const reader = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const pieces = [];
  let length = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    length += value.length;
    // What is longer than it says is not inflated to its end.
    if (length > size) {
      await reader.cancel();
      return null;
    }
    pieces.push(value);
  }
  return concat(pieces);
}

function checkedPath({ name, kind }) {
  const refused = (why) => new BadArchive(`entry \`${name}\` does not belong in a bundle: ${why}`);
  if (name.endsWith("/") || ![0, 8].includes(kind)) throw refused("it is no regular file");
  if (!isBundlePath(name)) throw refused("its path is not one that is safe everywhere");
  return name;
}

/** A relative path without `.` and `..`, safe on every file system: as `BundlePath` of `src/path.rs`. */
export function isBundlePath(path) {
  const isSafe = (part) => {
    const stem = part.split(".")[0].toUpperCase();
    const isReserved = /^(CON|PRN|AUX|NUL|(COM|LPT)[0-9])$/.test(stem) || /^ |[. ]$/.test(part);
    return part !== "" && !isReserved && !/[<>:"|?*\\\p{Cc}]/u.test(part) && utf8(part).length <= 255;
  };
  return utf8(path).length <= 900 && path.split("/").every(isSafe);
}
