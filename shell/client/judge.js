// What may run, and which instant it is: the rules of `src/client/judge.rs` and `src/client/clock.rs`, which
// `docs/client.md` explains ("What may run", "Which instant it is").

import { fits, graceOf } from "./manifest.js";
import { instant } from "./time.js";

/** How far after the end of the freshness a clock is believed enough to be remembered, in seconds. */
const BELIEVED = 730 * 86400;

/** How often the latest instant is written, at most, in seconds. */
const STEP = 3600;

const latest = (...instants) => Math.max(...instants.filter((it) => it !== null && it !== undefined));

/** What is known of the time besides the clock: `{ seen, least, freshUntil, graceUntil }`, each an instant or null. */
export const clock = {
  /** The instant at which programs are judged. */
  forStart: (known, now) => latest(now, known.seen, known.least),

  /** The instant at which new metadata is judged. */
  forRefresh: (known, now) => latest(now, known.seen === null ? null : Math.min(known.seen, known.freshUntil ?? Infinity), known.least),

  /** What to remember of a clock; null when that is what is remembered already, or nearly. */
  remember(known, now) {
    if (known.freshUntil === null || now > known.freshUntil + BELIEVED) return null;
    const at = Math.min(now, known.graceUntil);
    const isDue = known.seen === null || at - known.seen >= STEP || (at > known.seen && at === known.graceUntil);
    return isDue ? at : null;
  },
};

/** The rule at one instant: the newest manifest that was verified decides, though its set may not be installed yet. */
export class Judge {
  constructor(newest, freshUntil, now) {
    Object.assign(this, { newest, freshUntil, now, graceUntil: freshUntil + graceOf(newest) });
  }

  /** `{ state: "fresh" | "grace" | "over", until }`; the grace begins where the freshness ends. */
  get freshness() {
    if (this.now < this.freshUntil) return { state: "fresh", until: this.freshUntil };
    if (this.now < this.graceUntil) return { state: "grace", until: this.graceUntil };
    return { state: "over", until: null };
  }

  /** Whether an installed program may run, as far as signed files have a say in it: `{ is, ... }`. */
  verdict(program, platform) {
    const installed = program.release;
    if (!installed || !fits(installed.platform_version, platform)) return { is: "no_release" };
    const mode = this.revoked(program.app_id, installed.version.code);
    if (mode) return { is: "revoked", mode };
    const newest = this.newest.programs.find((it) => it.app_id === program.app_id);
    if (!newest) return { is: "lost" };
    if (!newest.release) return { is: "no_release" };
    const least = newest.release.update_policy.min_usable_version ?? 0;
    if (installed.version.code < least) return { is: "too_old", least };
    const [from, until] = [newest.valid_from, newest.valid_until].map((it) => (it === null ? null : instant(it)));
    if (from !== null && this.now < from) return { is: "not_begun", at: from };
    if (until !== null && until <= this.now) return { is: "ended", at: until };
    const isOver = this.freshness.state === "over" && this.newest.offline.expiration_strategy === "revoke";
    return isOver ? { is: "grace_over", at: this.graceUntil } : { is: "runs" };
  }

  /** The next instant at which an answer changes by itself; null when there is none. */
  get nextChange() {
    const windows = this.newest.programs.flatMap((it) => [it.valid_from, it.valid_until]).map((it) => it && instant(it));
    const bounds = [...windows, this.freshUntil, this.graceUntil].filter((it) => it !== null && it > this.now);
    return bounds.length > 0 ? Math.min(...bounds) : null;
  }

  revoked(app_id, code) {
    const modes = this.newest.revoked.filter((it) => it.app_id === app_id && it.code === code).map((it) => it.mode);
    // Named twice, the stricter word counts.
    return modes.includes("block") ? "block" : modes[0];
  }
}
