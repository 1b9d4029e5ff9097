// What a program may ask of the shell. Every call has a shape and, but for `info`, a permission; one that the manifest
// does not declare is stopped, one that it declares is asked of the person once.

const isText = (most) => (it) => typeof it === "string" && it.length <= most;
const isMaybe = (of) => (it) => it === undefined || of(it);
const isBoolean = (it) => typeof it === "boolean";
const isBlob = (it) => it instanceof Blob || isText(50_000_000)(it);

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const METHODS = {
  info: { takes: {}, needs: () => [], run: (_, { info }) => info },
  location: {
    takes: { precise: isMaybe(isBoolean) },
    needs: ({ precise }) => (precise ? ["location.precise"] : ["location.coarse", "location.precise"]),
    run: locate,
  },
  notify: {
    takes: { title: isText(200), body: isMaybe(isText(1000)) },
    needs: () => ["notifications"],
    run: ({ title, body }, { notice, program }) => void notice({ kind: "news", title: `${program.name}: ${title}`, text: body ?? "" }),
  },
  takePicture: { takes: {}, needs: () => ["camera"], run: () => chooseFile({ accept: "image/*", capture: "environment" }) },
  readFile: { takes: { accept: isMaybe(isText(200)) }, needs: () => ["files.read"], run: ({ accept = "" }) => chooseFile({ accept }) },
  writeFile: { takes: { name: isText(200), data: isBlob }, needs: () => ["files.write"], run: writeFile },
  copy: { takes: { text: isText(100_000) }, needs: () => ["clipboard.write"], run: ({ text }) => navigator.clipboard.writeText(text) },
};

/** The shell's end of a running program. */
export class Bridge {
  /**
   * `consents` remembers what the person said: `get(name)`, `set(name, is)`. `consent(permission)` asks, `notice` says
   * something to the person, `stopped(what)` is told of what a program tried and may not.
   */
  constructor({ program, frame, origin, info, consents, consent, notice, stopped, title }) {
    Object.assign(this, { program, frame, origin, info, consents, consent, notice, stopped, title, launched: false });
    this.listen = (event) => event.source === frame.contentWindow && event.origin === origin && this.hear(event.data);
    this.look = () => this.tell(document.hidden ? "hidden" : "shown");
    addEventListener("message", this.listen);
    document.addEventListener("visibilitychange", this.look);
  }

  close() {
    this.tell("hidden");
    removeEventListener("message", this.listen);
    document.removeEventListener("visibilitychange", this.look);
  }

  tell(tenantry, more = {}) {
    this.frame.contentWindow?.postMessage({ tenantry, ...more }, this.origin);
  }

  hear(data) {
    if (data?.tenantry === "call") this.answer(data);
    if (data?.tenantry === "blocked" && isText(300)(data.host)) this.stopped({ host: data.host });
    if (data?.tenantry === "hello") this.greet();
    if (data?.tenantry === "title" && isText(300)(data.title)) this.title(data.title);
  }

  /** A page of the program is there. Of a program, launching happens once. */
  greet() {
    if (!this.launched) this.tell("launched");
    this.launched = true;
    this.look();
  }

  async answer({ id, method, params }) {
    try {
      this.tell("result", { id, value: await this.call(method, params) });
    } catch (error) {
      this.tell("result", { id, error: { code: error.code ?? "unavailable", message: error.message } });
    }
  }

  async call(method, params) {
    if (!Object.hasOwn(METHODS, method)) throw new Refusal("invalid", "there is no such call");
    const { takes, needs, run } = METHODS[method];
    const wrong = Object.entries(takes).find(([name, fits]) => !fits(params?.[name]));
    if (wrong) throw new Refusal("invalid", `\`${wrong[0]}\` is not what it must be`);
    const wanted = needs(params);
    if (wanted.length > 0) await this.allowed(wanted);
    return run(params, this);
  }

  /** One of these permissions must be declared, and the person must agree to it. */
  async allowed(wanted) {
    const declared = this.program.release.req_permissions.find((it) => wanted.includes(it.name));
    if (!declared) {
      this.stopped({ permission: wanted[0] });
      throw new Refusal("undeclared", `the manifest does not name \`${wanted[0]}\``);
    }
    const said = this.consents.get(declared.name) ?? (await this.consent(declared));
    this.consents.set(declared.name, said);
    if (!said) throw new Refusal("denied", "the person did not agree");
  }
}

function locate({ precise }) {
  return new Promise((resolve, reject) => {
    const found = ({ coords: { latitude, longitude, accuracy } }) => resolve(precise ? { latitude, longitude, accuracy } : coarse(latitude, longitude));
    const failed = ({ code, message }) => reject(new Refusal(code === 1 ? "denied" : "unavailable", message));
    navigator.geolocation.getCurrentPosition(found, failed, { enableHighAccuracy: precise === true, timeout: 20_000 });
  });
}

/** To a tenth of a degree: about ten kilometres. */
const coarse = (latitude, longitude) => ({ latitude: Math.round(10 * latitude) / 10, longitude: Math.round(10 * longitude) / 10, accuracy: 10_000 });

function chooseFile({ accept, capture }) {
  const input = Object.assign(document.createElement("input"), { type: "file", accept });
  if (capture) input.capture = capture;
  return new Promise((resolve) => {
    input.onchange = () => resolve(input.files[0] ?? null);
    input.oncancel = () => resolve(null);
    input.click();
  });
}

function writeFile({ name, data }) {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([data])) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
