// A shop's and market's own place in the storage. Reading and writing never fail: where the device
// keeps nothing, the values are kept in memory and the rest of the SDK need not know.

import type { MaybePromise, Storage } from "./storage.js";

/** Named values in a storage, all under one prefix. */
export class Shelf {
  readonly #storage: Storage;
  readonly #prefix: string;
  readonly #onFailure: (error: unknown) => void;
  /** What could not be written. */
  readonly #unwritten = new Map<string, string | null>();
  /** Writes are made one after another, also where the storage would let them overtake. */
  #tail: Promise<unknown> | undefined;

  constructor(storage: Storage, prefix: string, onFailure: (error: unknown) => void) {
    this.#storage = storage;
    this.#prefix = prefix;
    this.#onFailure = onFailure;
  }

  /** True if what is kept can be listed at once, as in localStorage. */
  get isListable(): boolean {
    const { length, key } = this.#storage as Partial<globalThis.Storage>;
    return typeof length === "number" && typeof key === "function";
  }

  /** The names that begin so, if they can be listed. */
  names(beginning: string): string[] {
    const storage = this.#storage as globalThis.Storage;
    const names = new Set<string>();
    const start = this.#prefix + beginning;
    for (let index = 0; index < storage.length; index += 1) {
      const name = storage.key(index);
      if (name?.startsWith(start)) names.add(name.slice(this.#prefix.length));
    }
    for (const [name, value] of this.#unwritten) {
      if (name.startsWith(beginning) && value !== null) names.add(name);
      if (value === null) names.delete(name);
    }
    return [...names];
  }

  /** What is kept under this name. At once where the storage answers at once. */
  get(name: string): MaybePromise<string | null> {
    const unwritten = this.#unwritten.get(name);
    if (unwritten !== undefined) return unwritten;
    if (this.#tail) return this.#tail.then(() => this.#read(name));
    return this.#read(name);
  }

  /** Keeps the value. Where the storage is synchronous it is kept when this returns. */
  set(name: string, value: string): Promise<void> {
    return this.#write(name, value, () => this.#storage.setItem(this.#prefix + name, value));
  }

  /** Forgets the value. */
  remove(name: string): Promise<void> {
    return this.#write(name, null, () => this.#storage.removeItem(this.#prefix + name));
  }

  #read(name: string): MaybePromise<string | null> {
    try {
      const found = this.#storage.getItem(this.#prefix + name);
      if (!(found instanceof Promise)) return found;
      return found.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): null {
    this.#onFailure(error);
    return null;
  }

  #write(name: string, value: string | null, write: () => MaybePromise<unknown>): Promise<void> {
    const failed = (error: unknown) => {
      this.#unwritten.set(name, value);
      this.#onFailure(error);
    };
    const wrote = () => {
      this.#unwritten.delete(name);
    };
    if (this.#tail === undefined) {
      try {
        const written = write();
        if (!isThenable(written)) {
          wrote();
          return Promise.resolve();
        }
        return this.#follow(Promise.resolve(written).then(wrote, failed));
      } catch (error) {
        failed(error);
        return Promise.resolve();
      }
    }
    return this.#follow(this.#tail.then(write).then(wrote, failed));
  }

  #follow(write: Promise<void>): Promise<void> {
    this.#tail = write;
    return write.then(() => {
      if (this.#tail === write) this.#tail = undefined;
    });
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}
