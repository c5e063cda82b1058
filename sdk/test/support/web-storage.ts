// A localStorage for tests: the same interface, synchronous and listable, full at some point if asked to.

export interface TestWebStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export function webStorage(bytesMax = 5_000_000): TestWebStorage {
  const items = new Map<string, string>();
  let keys: string[] | undefined;
  const size = () => [...items].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return {
    get length() {
      return items.size;
    },
    key: (index) => (keys ??= [...items.keys()])[index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      if (bytesMax < 5_000_000 && size() + key.length + value.length > bytesMax) {
        throw new DOMException("full", "QuotaExceededError");
      }
      items.set(key, value);
      keys = undefined;
    },
    removeItem: (key) => {
      items.delete(key);
      keys = undefined;
    },
  };
}
