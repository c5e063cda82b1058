// The changes that the server has not confirmed, in storage. Each is written before it is sent and
// removed after it is settled, so that a page may end at any moment in between.

import type { Shelf } from "./shelf.js";
import type { MaybePromise } from "./storage.js";
import type { Tabs } from "./tabs.js";
import type { Change } from "./types.js";

/** A change that is kept. */
export interface Entry {
  /** Its Idempotency-Key. Keys sort in the order of the changes. */
  readonly key: string;
  /** Whose change it is; null for a guest's. */
  readonly owner: number | null;
  readonly change: Change;
  /** Written before it is sent for the first time. */
  readonly first?: FirstTry;
  /** With a merge at sign-in: the guest's changes that it stands for. */
  readonly covers?: readonly string[];
}

/** What was known when a change was sent for the first time. */
export interface FirstTry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The cart's version, if it was known. */
  readonly version?: number;
  /** Pieces of the SKU that were in the cart. */
  readonly had?: number;
  /** Which line a `set` is about; 0 if there was none, so that it adds one. */
  readonly line?: number;
}

const NAME = "queue";
const EACH = "queue:";

/** The list of changes. */
export class Journal {
  readonly #shelf: Shelf;
  readonly #tabs: Tabs;
  /** A copy of what storage has, by key. */
  #entries = new Map<string, Entry>();
  #sorted: readonly Entry[] | undefined;
  /** What the next write of the whole list adds or removes (null). */
  #unwritten = new Map<string, Entry | null>();
  #writing: Promise<void> | undefined;
  #nextWrite: Promise<void> | undefined;

  constructor(shelf: Shelf, tabs: Tabs) {
    this.#shelf = shelf;
    this.#tabs = tabs;
  }

  /** All changes, the oldest first. */
  list(): readonly Entry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.#sorted;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  get newestKey(): string {
    return this.list().at(-1)?.key ?? "";
  }

  /** Reads again what storage has, with what other tabs have written. */
  load(): MaybePromise<void> {
    if (this.#shelf.isListable) {
      const texts = this.#shelf.names(EACH).map((name) => this.#shelf.get(name) as string | null);
      this.#take(texts.flatMap((text) => (parsed(text) as Entry | null) ?? []));
      return;
    }
    const text = this.#shelf.get(NAME);
    if (text instanceof Promise)
      return text.then((found) => {
        this.#take((parsed(found) as Entry[] | null) ?? []);
      });
    this.#take((parsed(text) as Entry[] | null) ?? []);
  }

  /**
   * Keeps the change, or a change of it. On a storage that is synchronous, it is kept when this returns,
   * and the result is undefined.
   */
  put(entry: Entry): Promise<void> | undefined {
    this.#entries.set(entry.key, entry);
    this.#sorted = undefined;
    if (this.#shelf.isListable) {
      void this.#shelf.set(EACH + entry.key, JSON.stringify(entry));
      return undefined;
    }
    this.#unwritten.set(entry.key, entry);
    return this.#write();
  }

  /** Forgets changes. */
  remove(keys: readonly string[]): void {
    for (const key of keys) {
      this.#entries.delete(key);
      if (this.#shelf.isListable) void this.#shelf.remove(EACH + key);
      else this.#unwritten.set(key, null);
    }
    this.#sorted = undefined;
    if (!this.#shelf.isListable && keys.length > 0) void this.#write();
  }

  #take(entries: readonly Entry[]): void {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    for (const [key, entry] of this.#unwritten) {
      if (entry === null) this.#entries.delete(key);
      else this.#entries.set(key, entry);
    }
    this.#sorted = undefined;
  }

  /** Writes the whole list. What is changed while a write runs shares the next one. */
  #write(): Promise<void> {
    if (!this.#writing) return this.#writeNow();
    this.#nextWrite ??= this.#writing.then(() => {
      this.#nextWrite = undefined;
      return this.#writeNow();
    });
    return this.#nextWrite;
  }

  #writeNow(): Promise<void> {
    const writing = this.#tabs.alone("queue", async () => {
      const taken = new Map(this.#unwritten);
      if (this.#tabs.areMany) await this.load();
      await this.#shelf.set(NAME, JSON.stringify(this.list()));
      for (const [key, entry] of taken) {
        if (this.#unwritten.get(key) === entry) this.#unwritten.delete(key);
      }
    });
    const done = writing.then(() => {
      if (this.#writing === done) this.#writing = undefined;
    });
    this.#writing = done;
    return done;
  }
}

function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
