// What a client remembers: names and bytes. In a browser it is IndexedDB, where one transaction is all or nothing.

import { sha256, text, utf8 } from "./bytes.js";
import { Trouble } from "./trouble.js";

/**
 * A shelf in IndexedDB. Anything with these methods will do: `load(name)` gives bytes or null, `names()` all names,
 * `change({ put, remove, durability })` does all of it or nothing, and `empty(put)` replaces everything there is. Only
 * what is `strict` is on the disk when it is done, with all that came before; a power cut may undo the last of the rest.
 */
export class IndexedShelf {
  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("files");
    const database = await done(request).catch(broken);
    // Another tab that wants to delete or upgrade it does not have to wait for us.
    database.onversionchange = () => database.close();
    return new IndexedShelf(database);
  }

  constructor(database) {
    this.database = database;
  }

  async load(name) {
    return (await this.read((files) => files.get(name))) ?? null;
  }

  async names() {
    return this.read((files) => files.getAllKeys());
  }

  change({ put = new Map(), remove = [], durability = "relaxed" }) {
    return this.write(durability, (files) => {
      remove.forEach((name) => files.delete(name));
      put.forEach((bytes, name) => files.put(bytes, name));
    });
  }

  empty(put) {
    return this.write("strict", (files) => {
      files.clear();
      put.forEach((bytes, name) => files.put(bytes, name));
    });
  }

  async read(ask) {
    try {
      return await done(ask(this.database.transaction("files").objectStore("files")));
    } catch (error) {
      return broken(error);
    }
  }

  async write(durability, act) {
    try {
      const transaction = this.database.transaction("files", "readwrite", { durability });
      act(transaction.objectStore("files"));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    } catch (error) {
      broken(error);
    }
  }
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function broken(error) {
  const isFull = error?.name === "QuotaExceededError";
  throw new Trouble(isFull ? "disk-full" : "disk", `the storage of this browser says no: ${error?.message ?? error}`);
}

/** The steps of `trust` and of a client over any shelf. */
export class Shelf {
  constructor(store) {
    this.store = store;
  }

  load(name) {
    return this.store.load(name);
  }

  keep(name, bytes) {
    return this.store.change({ put: new Map([[name, bytes]]) });
  }

  /** A root with other keys lets the numbers begin anew (TUF 5.3.11): those that the client keeps beside them, too. */
  async forget(remove) {
    const latest = await this.small("latest.json");
    const put = latest ? [await sealed("latest.json", { ...latest, floor: { targets: 0, timestamp: 0 } })] : [];
    await this.store.change({ put: new Map(put), remove });
  }

  /** A small file that knows whether it is damaged; null when it is, or is not there. */
  async small(name) {
    const bytes = await this.store.load(name);
    try {
      const [digest, json] = text(bytes ?? new Uint8Array()).split("\n");
      return digest === (await sha256(utf8(json))) ? JSON.parse(json) : null;
    } catch {
      return null;
    }
  }
}

/** A small file with a digest of itself, to be put. */
export async function sealed(name, value) {
  const json = JSON.stringify(value);
  return [name, utf8(`${await sha256(utf8(json))}\n${json}`)];
}
