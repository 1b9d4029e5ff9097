// What a program sees of the shell. It runs in each of the program's pages before the page's own scripts.
//
//   await tenantry.info()                      -> { app_id, version, tenant, color_scheme, lang, ext }
//   await tenantry.location({ precise: true }) -> { latitude, longitude, accuracy }
//   await tenantry.notify({ title, body })     await tenantry.takePicture() -> Blob or null
//   await tenantry.readFile({ accept })        -> File or null
//   await tenantry.writeFile({ name, data })   await tenantry.copy({ text })
//
// Each fails with an `Error` whose `code` is `undeclared` (the manifest does not name the permission), `denied` (the
// person said no), `unavailable` or `invalid`. The rest is W3C MiniApp Lifecycle.

(() => {
  if (window.parent !== window.top || window.parent === window) return;

  const calls = new Map();
  let last = 0;

  function call(method, params = {}) {
    last += 1;
    const id = last;
    parent.postMessage({ tenantry: "call", id, method, params }, "*");
    return new Promise((resolve, reject) => calls.set(id, { resolve, reject }));
  }

  const METHODS = ["info", "location", "notify", "takePicture", "readFile", "writeFile", "copy"];
  window.tenantry = Object.freeze(Object.fromEntries(METHODS.map((method) => [method, (params) => call(method, params)])));

  // Lifecycle: callbacks by state, and the states that have come already, which are told to those who ask late.
  const lives = { global: life(["launched", "shown", "hidden", "error"]), page: life(["loaded", "ready", "shown", "hidden", "unloaded"]) };

  function life(states) {
    const callbacks = Object.fromEntries(states.map((state) => [state, []]));
    return { states, callbacks, past: [], state: null };
  }

  function enter(which, state, detail) {
    const { callbacks, past } = lives[which];
    if (lives[which].state === state && state !== "error") return;
    lives[which].state = state;
    if (past.length < 100) past.push({ state, detail });
    callbacks[state].forEach((callback) => callback(detail));
    dispatchEvent(new CustomEvent(`miniapp:${which}${state}`, { detail }));
  }

  /** `getGlobalState(state, launched, shown, hidden, error)`, and the same for pages: what was is told at once. */
  function listen(which, callbacks) {
    const { states, past } = lives[which];
    const given = states.map((state, at) => [state, callbacks[at]]).filter(([, callback]) => typeof callback === "function");
    given.forEach(([state, callback]) => lives[which].callbacks[state].push(callback));
    const told = new Map(given);
    past.slice().forEach(({ state, detail }) => told.get(state)?.(detail));
  }

  window.miniapp = Object.freeze({
    global: Object.freeze({ getGlobalState: (_, ...callbacks) => listen("global", callbacks), get state() { return lives.global.state; } }),
    page: Object.freeze({ getPageState: (_, ...callbacks) => listen("page", callbacks), get state() { return lives.page.state; } }),
  });

  let greeted;
  const answered = new Promise((resolve) => (greeted = resolve));

  const pagePath = decodeURIComponent(location.pathname.split("/").slice(2).join("/"));
  const inputObject = Object.freeze({ inputQuery: location.search.slice(1), pagePath, referrerInfo: "" });

  addEventListener("message", ({ source, data }) => {
    if (source !== parent || typeof data?.tenantry !== "string") return;
    if (data.tenantry === "result") settle(data);
    if (data.tenantry === "launched") enter("global", "launched", inputObject);
    if (data.tenantry === "shown" || data.tenantry === "hidden") {
      enter("global", data.tenantry, data.tenantry === "shown" ? inputObject : undefined);
      if (lives.page.state !== null) enter("page", data.tenantry);
      greeted();
    }
  });

  function settle({ id, value, error }) {
    const waiting = calls.get(id);
    calls.delete(id);
    if (!error) return waiting?.resolve(value);
    return waiting?.reject(Object.assign(new Error(error.message), { code: error.code }));
  }

  const fail = (text) => enter("global", "error", Object.freeze({ errorDescription: text }));
  addEventListener("error", ({ message }) => message && fail(message));
  addEventListener("unhandledrejection", ({ reason }) => fail(String(reason?.message ?? reason)));

  // The program is launched before its first page is loaded, so the page waits for the shell's word.
  parent.postMessage({ tenantry: "hello" }, "*");
  const loaded = new Promise((resolve) => addEventListener("DOMContentLoaded", resolve));
  Promise.all([loaded, answered]).then(() => {
    enter("page", "loaded", inputObject);
    if (!document.hidden) enter("page", "shown");
    parent.postMessage({ tenantry: "title", title: document.title }, "*");
    requestAnimationFrame(() => requestAnimationFrame(() => enter("page", "ready")));
  });
  addEventListener("pagehide", () => enter("page", "unloaded"));

  // What the page's rules stop is said to the shell, which says it to the person.
  addEventListener("securitypolicyviolation", ({ blockedURI }) => {
    if (/^(https?|wss?):/.test(blockedURI)) parent.postMessage({ tenantry: "blocked", host: new URL(blockedURI).host }, "*");
  });

  // Programs that know only the web's own interface get the same answer through the bridge.
  const locate = (done, failed) =>
    call("location", { precise: true }).then(
      (coords) => done({ coords, timestamp: Date.now() }),
      (error) => failed?.({ code: error.code === "unavailable" ? 2 : 1, message: error.message, PERMISSION_DENIED: 1 }),
    );
  const geolocation = {
    getCurrentPosition: (done, failed) => void locate(done, failed),
    watchPosition: (done, failed) => void locate(done, failed) ?? 0,
    clearWatch() {},
  };
  Object.defineProperty(navigator, "geolocation", { value: Object.freeze(geolocation), configurable: true });
})();
