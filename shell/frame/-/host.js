// Takes a program's files from the shell around this frame. What is stored here counts only with the shell's signature
// (see `-worker.js`), so whoever else sends something gains nothing.

const DATABASE = "tenantry-program";

const CALLS = {
  /** Keeps a version, and drops the others. */
  async store({ prefix, policy, files }) {
    const transaction = (await open()).transaction(["policies", "files"], "readwrite");
    const [policies, kept] = [transaction.objectStore("policies"), transaction.objectStore("files")];
    policies.clear();
    kept.clear();
    policies.put(policy, prefix);
    for (const [path, bytes] of files) kept.put(bytes, [prefix, path]);
    return ended(transaction);
  },

  /** Leaves nothing of the program. */
  async wipe() {
    localStorage.clear();
    sessionStorage.clear();
    const databases = await indexedDB.databases();
    opened?.then((it) => it.close());
    await Promise.all(databases.map(({ name }) => removed(name)));
    for (const name of await caches.keys()) await caches.delete(name);
    const folder = await navigator.storage.getDirectory();
    for await (const name of folder.keys()) await folder.removeEntry(name, { recursive: true });
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  },
};

addEventListener("message", async ({ source, data, ports: [port] }) => {
  if (source !== parent || !port || !Object.hasOwn(CALLS, data.call)) return;
  try {
    port.postMessage({ done: await CALLS[data.call](data) });
  } catch (error) {
    port.postMessage({ failed: String(error) });
  }
});

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("policies");
      request.result.createObjectStore("files");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

const ended = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

const removed = (name) =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });

navigator.serviceWorker
  .register("/-worker.js", { scope: "/" })
  .then(() => navigator.serviceWorker.ready)
  .then(() => parent.postMessage({ tenantry: "host" }, "*"))
  .catch((error) => parent.postMessage({ tenantry: "host", failed: String(error) }, "*"));
