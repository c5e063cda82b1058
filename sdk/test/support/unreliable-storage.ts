// A storage that fails, delays, truncates, gives foreign promises and is full, at random points, always
// the same for the same seed. What it says it has kept it has kept.

import type { Storage } from "../../src/index.js";
import { seeded } from "./faults.js";
import { webStorage } from "./web-storage.js";

export interface UnreliableStorage {
  /** What the client gets. */
  readonly storage: Storage;
  /** From 0 to 1; how often a read or a write goes wrong. */
  trouble: number;
}

export type StorageKind = "listable" | "synchronous" | "asynchronous";

export function unreliableStorage(seed: number, kind: StorageKind): UnreliableStorage {
  const random = seeded(seed);
  const items = webStorage();
  const goesWrong = () => random() < made.trouble;
  /** Not of this realm's Promise, and without its methods. */
  const foreign = <T>(work: () => T): PromiseLike<T> => {
    const answer = new Promise<T>((resolve, reject) => {
      setTimeout(
        () => {
          try {
            resolve(work());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
        goesWrong() ? random() * 20 : 0,
      );
    });
    return { then: (done, failed) => answer.then(done, failed) };
  };
  const read = (key: string): string | null => {
    const found = items.getItem(key);
    if (!goesWrong()) return found;
    if (found === null || random() < 0.5) throw new Error("User interaction is not allowed");
    return found.slice(0, Math.floor(random() * found.length));
  };
  const write = (work: () => void): void => {
    if (goesWrong()) throw new DOMException("full", "QuotaExceededError");
    work();
  };
  const answer = <T>(work: () => T) => (kind === "asynchronous" ? foreign(work) : work());
  const made = {
    trouble: 0,
    storage: {
      ...(kind === "listable" && { key: (index: number) => items.key(index), length: 0 }),
      getItem: (key: string) => answer(() => read(key)),
      setItem: (key: string, value: string) =>
        answer(() => {
          write(() => {
            items.setItem(key, value);
          });
        }),
      removeItem: (key: string) =>
        answer(() => {
          write(() => {
            items.removeItem(key);
          });
        }),
    } as Storage,
  };
  if (kind === "listable")
    Object.defineProperty(made.storage, "length", { get: () => items.length });
  return made;
}
