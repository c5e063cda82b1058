// Where the SDK keeps what must outlive the page: the session, the last known cart, and changes that
// have not been sent. Storages may be synchronous (localStorage) or not (AsyncStorage).

/** A value, or the promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** What the SDK needs of a storage. localStorage, sessionStorage and AsyncStorage all are ones. */
export interface Storage {
  getItem(key: string): MaybePromise<string | null>;
  setItem(key: string, value: string): MaybePromise<unknown>;
  removeItem(key: string): MaybePromise<unknown>;
}

/** A storage that ends with the process; for tests, servers and edge workers. */
export function memoryStorage(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      items.set(key, value);
    },
    removeItem: (key) => {
      items.delete(key);
    },
  };
}

/**
 * localStorage in a page, else memory: what a server renders for one visitor must not be kept for the
 * next, so that a server's localStorage is never taken unasked.
 */
export function defaultStorage(): Storage {
  if (typeof document === "undefined") return memoryStorage();
  try {
    // Reading the property throws where the user has forbidden storage.
    const local = globalThis.localStorage as Storage | undefined;
    // One that is full still has what was kept.
    void local?.getItem("evercart");
    if (local) return local;
  } catch {
    // Forbidden: the page works without, it only forgets.
  }
  return memoryStorage();
}
