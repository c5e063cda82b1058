// A shop's and market's own place in the storage. A read that fails throws: it does not say that nothing is
// there. A write that fails returns false, and its value stays in memory.

import { EvercartError } from "./errors.js";
import type { MaybePromise, Storage } from "./storage.js";

/** Longer than a storage that works needs for a read or a write. */
const PATIENCE_MS = 3000;

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

  /** The names that begin so, if they can be listed. Throws `storage` if they cannot be read. */
  names(beginning: string): string[] {
    const names = new Set<string>();
    const start = this.#prefix + beginning;
    try {
      const storage = this.#storage as globalThis.Storage;
      for (let index = 0; index < storage.length; index += 1) {
        const name = storage.key(index);
        if (name?.startsWith(start)) names.add(name.slice(this.#prefix.length));
      }
    } catch (error) {
      throw this.unread(error);
    }
    for (const [name, value] of this.#unwritten) {
      if (name.startsWith(beginning) && value !== null) names.add(name);
      if (value === null) names.delete(name);
    }
    return [...names];
  }

  /**
   * What is kept under this name. At once where the storage answers at once. Throws or rejects with
   * `storage` if that cannot be read, which says nothing of what is kept.
   */
  get(name: string): MaybePromise<string | null> {
    const unwritten = this.#unwritten.get(name);
    if (unwritten !== undefined) return unwritten;
    if (this.#tail) return this.#tail.then(() => this.#read(name));
    return this.#read(name);
  }

  /**
   * Keeps the value. Where the storage is synchronous it is kept when this returns. The result is false
   * if it could not be written.
   */
  set(name: string, value: string): MaybePromise<boolean> {
    return this.#write(name, value, () => this.#storage.setItem(this.#prefix + name, value));
  }

  /** Forgets the value. */
  remove(name: string): MaybePromise<boolean> {
    return this.#write(name, null, () => this.#storage.removeItem(this.#prefix + name));
  }

  /** Tries again to write what could not be written. */
  retry(): void {
    for (const [name, value] of [...this.#unwritten])
      void (value === null ? this.remove(name) : this.set(name, value));
  }

  #read(name: string): MaybePromise<string | null> {
    try {
      const found: unknown = this.#storage.getItem(this.#prefix + name);
      if (!isThenable(found)) return checked(found);
      return inTime(found)
        .then(checked)
        .catch((error: unknown) => {
          throw this.unread(error);
        });
    } catch (error) {
      throw this.unread(error);
    }
  }

  /** Tells that something could not be read, or made no sense, and returns what to throw. */
  unread(cause: unknown): EvercartError {
    this.#onFailure(cause);
    return new EvercartError("storage", "The device's storage could not be read.", { cause });
  }

  #write(name: string, value: string | null, write: () => unknown): MaybePromise<boolean> {
    const failed = (error: unknown) => {
      this.#unwritten.set(name, value);
      this.#onFailure(error);
      return false;
    };
    const wrote = () => {
      this.#unwritten.delete(name);
      return true;
    };
    if (this.#tail === undefined) {
      try {
        const written = write();
        if (!isThenable(written)) return wrote();
        return this.#follow(inTime(written).then(wrote, failed));
      } catch (error) {
        return failed(error);
      }
    }
    return this.#follow(this.#tail.then(() => inTime(write())).then(wrote, failed));
  }

  #follow(write: Promise<boolean>): Promise<boolean> {
    this.#tail = write;
    return write.then((kept) => {
      if (this.#tail === write) this.#tail = undefined;
      return kept;
    });
  }
}

function checked(found: unknown): string | null {
  if (typeof found === "string") return found;
  if (found === null || found === undefined) return null;
  throw new TypeError(`getItem gave a ${typeof found}, neither a string nor null`);
}

/** Some platforms' promises are not ours, and some never answer. */
function inTime(answer: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    const end = () => {
      clearTimeout(timer);
    };
    Promise.resolve(answer).finally(end).then(resolve, reject);
  });
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

/** Goes on with a value, at once if it is there at once. */
export function after<T, R>(
  value: MaybePromise<T>,
  work: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return isThenable(value) ? Promise.resolve(value).then(work) : work(value);
}
