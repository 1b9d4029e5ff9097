// What can go wrong: the same codes as `docs/client.md`, and the same advice on trying again.

/** Why a client did not do what it was asked. Whatever was there before still is, and still starts. */
export class Trouble extends Error {
  /** @param {string} code a stable word @param {string} what what happened @param {object} more `role`, `path`, `at` */
  constructor(code, what, more = {}) {
    super(what);
    this.name = "Trouble";
    this.code = code;
    Object.assign(this, more);
  }

  /** `now`, `later` or `never`. */
  get retry() {
    const isRoot = this.role === "root";
    if (["configuration", "unknown-program", "foreign-tenant"].includes(this.code)) return "never";
    if (isRoot && ["signatures", "version", "rollback", "expired"].includes(this.code)) return "never";
    return ["cut-short", "many-roots"].includes(this.code) ? "now" : "later";
  }

  /** Whether something came that is not to be believed; else it did not come. */
  get isRefusal() {
    return !["unreachable", "cut-short", "too-slow", "server", "busy", "disk", "disk-full"].includes(this.code);
  }
}
