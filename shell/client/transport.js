// Objects as they come over HTTP: measured while they are read, given up when they come too slowly or never end.

import { concat } from "./bytes.js";
import { Trouble } from "./trouble.js";

/** Fewest bytes a second, over how many seconds, and how many seconds one refresh may take in all. */
export const PACE = { rate: 1024, over: 30, inAll: 900 };

/** How old an answer may be that was asked for early, in milliseconds: somebody may have read a page in between. */
const EARLY = 20_000;

/** How often an archive that was cut short goes on where it stopped, within one refresh. */
const RESUMED = 3;

/**
 * One operation's requests below a base URL, with one deadline for all. `early` has what somebody has asked for
 * already, by its URL: `{ answer, abort, at }`. Each is taken once, and not where caches are bypassed.
 */
export class Transport {
  constructor(base, pace = PACE, early = new Map()) {
    this.base = new URL(base);
    this.pace = pace;
    this.early = early;
    this.coming = new Map();
    this.until = performance.now() + 1000 * pace.inAll;
    this.traffic = { requests: 0, bytes: 0 };
  }

  /** Begins with something that will be asked for, or so it is guessed; then it is on its way already. */
  ahead(path, max, caches) {
    const abort = new AbortController();
    const bytes = this.fetched(path, max, caches, 0, abort);
    bytes.catch(() => {});
    this.coming.set(path, { bytes, abort });
  }

  /** What was begun and nobody has asked for is let go. */
  close() {
    this.coming.forEach(({ abort }) => abort.abort());
    this.coming.clear();
  }

  /**
   * The bytes at a path, at most `max`; null when there is no such object. `caches` is `allowed`, `revalidated` for
   * what changes, or `bypassed` after a cache was wrong.
   */
  get(path, max, caches) {
    return this.taken(path, caches) ?? this.fetched(path, max, caches, 0);
  }

  /** The same for something large: after an interruption it goes on where it stopped. */
  resumed(path, max, caches) {
    const fetched = () => this.fetched(path, max, caches, RESUMED);
    const again = (error) => (error.code === "cut-short" ? fetched() : Promise.reject(error));
    return this.taken(path, caches)?.catch(again) ?? fetched();
  }

  taken(path, caches) {
    const coming = caches === "bypassed" ? undefined : this.coming.get(path);
    if (coming) this.coming.delete(path);
    return coming?.bytes;
  }

  async fetched(path, max, caches, resumed, abort = new AbortController()) {
    const pieces = [];
    for (let left = resumed; ; left -= 1) {
      try {
        return (await this.pieces(path, max, caches, pieces, abort)) ? concat(pieces) : null;
      } catch (error) {
        if (error.code !== "cut-short" || left === 0) throw error;
      }
    }
  }

  /** Adds what comes to the pieces that are there already; whether there is such an object. */
  async pieces(path, max, caches, pieces, abort) {
    const from = pieces.reduce((length, piece) => length + piece.length, 0);
    const answer = await this.ask(path, caches, from, abort);
    if (!answer) return false;
    if (answer.status !== 206) pieces.length = 0;
    const announced = Number(answer.headers.get("content-length") ?? 0);
    if (announced + (answer.status === 206 ? from : 0) > max && !answer.headers.get("content-encoding")) {
      abort.abort();
      throw tooLong(path, max);
    }
    await this.read(path, answer.body, max, pieces, abort);
    return true;
  }

  async ask(path, caches, from, abort) {
    const cache = { allowed: "default", revalidated: "no-cache", bypassed: "reload" }[caches];
    const headers = from > 0 ? { range: `bytes=${from}-` } : {};
    const url = new URL(path, this.base);
    this.traffic.requests += 1;
    const early = this.early.get(url.href);
    this.early.delete(url.href);
    const isEarly = early && performance.now() - early.at < EARLY && from === 0 && caches !== "bypassed";
    if (isEarly) abort.signal.addEventListener("abort", () => early.abort.abort());
    const request = isEarly
      ? early.answer
      : fetch(url, { cache, headers, redirect: "manual", credentials: "omit", referrerPolicy: "no-referrer", signal: abort.signal });
    const answer = await this.timely(path, abort, request).catch((error) => {
      if (error instanceof Trouble) throw error;
      throw new Trouble("unreachable", `\`${path}\` could not be fetched: ${error.cause?.message ?? error.message}`, { path });
    });
    const { status, type } = answer;
    if (status === 200 || (status === 206 && isPart(answer, from))) return answer;
    abort.abort();
    if ([403, 404, 410].includes(status)) return null;
    if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
      throw new Trouble("redirected", `\`${path}\` is redirected to another place`, { path });
    }
    if (status === 429 || status >= 500) throw new Trouble("server", `\`${path}\`: the server answers ${status}`, { path });
    throw new Trouble("not-our-server", `\`${path}\`: the answer is HTTP ${status}`, { path });
  }

  async read(path, body, max, pieces, abort) {
    const reader = body.getReader();
    let length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    let [mark, sinceMark] = [performance.now(), 0];
    for (;;) {
      const { done, value } = await this.timely(path, abort, reader.read()).catch((error) => {
        if (error instanceof Trouble) throw error;
        throw new Trouble("cut-short", `\`${path}\` was cut short after ${length} bytes`, { path });
      });
      if (done) return;
      length += value.length;
      this.traffic.bytes += value.length;
      if (length > max) {
        abort.abort();
        throw tooLong(path, max);
      }
      pieces.push(value);
      sinceMark += value.length;
      const seconds = (performance.now() - mark) / 1000;
      if (seconds >= this.pace.over) {
        if (sinceMark < this.pace.rate * seconds) {
          abort.abort();
          throw slow(path);
        }
        [mark, sinceMark] = [performance.now(), 0];
      }
    }
  }

  /** Waits for something of the network, but not for ever. */
  async timely(path, abort, work) {
    const left = Math.min(1000 * this.pace.over, this.until - performance.now());
    let timer;
    const late = new Promise((_, reject) => {
      // First the reason and then the end: the other way round, the end would be the reason.
      const end = () => {
        reject(slow(path));
        abort.abort();
      };
      timer = setTimeout(end, Math.max(left, 0));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const slow = (path) => new Trouble("too-slow", `\`${path}\` comes too slowly`, { path });

const isPart = (answer, from) => from > 0 && answer.headers.get("content-range")?.startsWith(`bytes ${from}-`);

const tooLong = (path, max) => new Trouble("too-long", `\`${path}\` has more than ${max} bytes`, { path });
