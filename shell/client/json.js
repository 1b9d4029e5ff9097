// JSON as it was received, and its canonical spelling: what was signed (OLPC canonical JSON, TUF 1.0.34, section 4.2).
//
// The same rules as `src/trust/json.rs`. `JSON.parse` will not do for signed files: of a key that is there twice it
// keeps the last, and it rounds numbers. Maps are `Map`s, so that no key means anything to the language.

import { utf8, text as decoded } from "./bytes.js";

/** Something is not as it must be. */
export class BadShape extends Error {}

/** Says that a field is wrong. */
export const bad = (field, expected) => new BadShape(`\`${field}\` is not ${expected}`);

/** How deep maps and lists may be nested. */
const MAX_DEPTH = 127;

const LARGEST = 18446744073709551615n;
const SMALLEST = -9223372036854775808n;

/** Reads a file. */
export function parse(bytes) {
  let text;
  try {
    text = decoded(bytes);
  } catch {
    throw new BadShape("not JSON that can be signed: it is no UTF-8");
  }
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.space();
  if (reader.at !== text.length) reader.fail("something comes after the end");
  return value;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(why) {
    throw new BadShape(`not JSON that can be signed: ${why} at character ${this.at}`);
  }

  space() {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at += 1;
  }

  takes(token) {
    this.space();
    const is = this.text.startsWith(token, this.at);
    if (is) this.at += token.length;
    return is;
  }

  value(depth) {
    this.space();
    if (depth > MAX_DEPTH) this.fail("it is nested too deeply");
    switch (this.text[this.at]) {
      case "{": return this.map(depth);
      case "[": return this.list(depth);
      case '"': return this.string();
      case "t": return this.word("true", true);
      case "f": return this.word("false", false);
      case "n": return this.word("null", null);
      default: return this.integer();
    }
  }

  word(word, value) {
    return this.takes(word) ? value : this.fail("a word that is unknown");
  }

  map(depth) {
    const map = new Map();
    this.takes("{");
    if (this.takes("}")) return map;
    do {
      this.space();
      const key = this.string();
      if (map.has(key)) this.fail(`key ${JSON.stringify(key)} is there twice`);
      if (!this.takes(":")) this.fail("no colon");
      map.set(key, this.value(depth + 1));
    } while (this.takes(","));
    return this.takes("}") ? map : this.fail("a map that does not end");
  }

  list(depth) {
    const list = [];
    this.takes("[");
    if (this.takes("]")) return list;
    do list.push(this.value(depth + 1)); while (this.takes(","));
    return this.takes("]") ? list : this.fail("a list that does not end");
  }

  string() {
    const found = /^"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/.exec(this.text.slice(this.at, this.end()));
    if (!found) this.fail("no text");
    this.at += found[0].length;
    const text = JSON.parse(found[0]);
    return text.isWellFormed?.() === false || /[\ud800-\udfff]/u.test(text) ? this.fail("half a character") : text;
  }

  /** Just after the quote that ends the text that begins here. */
  end() {
    let at = this.at + 1;
    while (at < this.text.length && this.text[at] !== '"') at += this.text[at] === "\\" ? 2 : 1;
    return at + 1;
  }

  integer() {
    const found = /^-?(?:0|[1-9][0-9]{0,19})(?![0-9.eE])/.exec(this.text.slice(this.at, this.at + 24));
    if (!found || found[0] === "-0") this.fail("no value, or a number that is no integer");
    const integer = BigInt(found[0]);
    if (integer > LARGEST || integer < SMALLEST) this.fail("a number that is too large");
    this.at += found[0].length;
    return plain(integer);
  }
}

/** A `Number` where that is exact. Values that are equal are then `===`. */
const plain = (integer) => (Number.isSafeInteger(Number(integer)) ? Number(integer) : integer);

/** The canonical spelling. Keys stand in the order of their bytes. */
export const canonical = (value) => utf8(spell(value));

function spell(value) {
  if (value instanceof Map) {
    const entries = [...value].sort(([one], [other]) => byCodePoint(one, other));
    return `{${entries.map(([key, it]) => `${quoted(key)}:${spell(it)}`).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  return typeof value === "string" ? quoted(value) : String(value);
}

const quoted = (text) => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** UTF-8 sorts as code points do; JavaScript's own order is that of UTF-16. */
function byCodePoint(one, other) {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return a[at].codePointAt(0) - b[at].codePointAt(0);
  }
  return a.length - b.length;
}

/** A map, with fields that are what they must be. */
export class Fields {
  constructor(value, name) {
    if (!(value instanceof Map)) throw bad(name, "a map");
    this.values = value;
  }

  get(name) {
    return this.values.get(name);
  }

  entries() {
    return [...this.values];
  }

  text(name) {
    return this.is(name, (it) => typeof it === "string", "text");
  }

  list(name) {
    return this.is(name, Array.isArray, "a list");
  }

  texts(name) {
    return this.is(name, (it) => Array.isArray(it) && it.every((one) => typeof one === "string"), "a list of texts");
  }

  map(name) {
    return new Fields(this.get(name), name);
  }

  boolean(name) {
    return this.is(name, (it) => typeof it === "boolean", "true or false");
  }

  count(name) {
    return this.is(name, (it) => isInteger(it) && it >= 0, "an integer of 0 or more");
  }

  positive(name) {
    return this.is(name, (it) => isInteger(it) && it >= 1, "an integer of 1 or more");
  }

  is(name, fits, expected) {
    const value = this.get(name);
    if (!fits(value)) throw bad(name, expected);
    return value;
  }
}

const isInteger = (it) => typeof it === "number" || typeof it === "bigint";
