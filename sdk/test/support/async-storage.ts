// A double of @react-native-async-storage/async-storage: the official interface, every answer later, and
// nothing but strings kept.

type Pair = readonly [string, string | null];

/** The official interface, as its package declares it. */
export interface AsyncStorageStatic {
  getItem(key: string): Promise<string | null>;
  setItem(key: string, value: string): Promise<void>;
  removeItem(key: string): Promise<void>;
  mergeItem(key: string, value: string): Promise<void>;
  clear(): Promise<void>;
  getAllKeys(): Promise<readonly string[]>;
  multiGet(keys: readonly string[]): Promise<readonly Pair[]>;
  multiSet(pairs: readonly (readonly [string, string])[]): Promise<void>;
  multiRemove(keys: readonly string[]): Promise<void>;
}

export function asyncStorage(): AsyncStorageStatic {
  const items = new Map<string, string>();
  // A trip over the bridge: never in the same turn.
  const later = <T>(work: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  const put = (key: string, value: unknown) => {
    if (typeof key !== "string" || typeof value !== "string") {
      throw new Error(`[AsyncStorage] only strings can be kept, not ${typeof value} as ${key}`);
    }
    items.set(key, value);
  };
  return {
    getItem: (key) => later(() => items.get(key) ?? null),
    setItem: (key, value) =>
      later(() => {
        put(key, value);
      }),
    removeItem: (key) =>
      later(() => {
        items.delete(key);
      }),
    mergeItem: (key, value) =>
      later(() => {
        const merged = { ...parsed(items.get(key)), ...parsed(value) };
        put(key, JSON.stringify(merged));
      }),
    clear: () =>
      later(() => {
        items.clear();
      }),
    getAllKeys: () => later(() => [...items.keys()]),
    multiGet: (keys) => later(() => keys.map((key): Pair => [key, items.get(key) ?? null])),
    multiSet: (pairs) =>
      later(() => {
        pairs.forEach(([key, value]) => {
          put(key, value);
        });
      }),
    multiRemove: (keys) =>
      later(() => {
        keys.forEach((key) => items.delete(key));
      }),
  };
}

function parsed(text: string | undefined): object {
  return text === undefined ? {} : (JSON.parse(text) as object);
}
