// The changes that the server has not confirmed, in storage. Each is written before it is sent, so that
// a page may end at any moment. Tabs see each other's writes late and in no order; therefore nothing here
// ever means "it is gone" by not being there. There are two sets that only grow, changes and what of
// them is settled, and all tabs take the union of whatever they hear or read.

import { momentOf, sleep } from "./http.js";
import { after, type Shelf } from "./shelf.js";
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
  /** With a guest's change: which guest's, by the session's number. */
  readonly guest?: number | undefined;
  /** Written before it is sent for the first time. */
  readonly first?: FirstTry;
  /** With a merge at sign-in: the guest's changes that it stands for. It replaces them. */
  readonly covers?: readonly string[] | undefined;
  /** And whose they are. */
  readonly guests?: readonly number[] | undefined;
}

/** That a change was taken or refused, in the change's place. */
export interface Settled {
  readonly key: string;
  /** When, in milliseconds since 1970. */
  readonly done: number;
  readonly covers?: readonly string[] | undefined;
  readonly guests?: readonly number[] | undefined;
}

/** What is known of a change. */
export type Known = Entry | Settled;

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
/** Before the keys, where each change has a place of its own. */
export const EACH = "queue:";
/** How long it is remembered that a change is settled: longer than any tab sleeps over it. */
const REMEMBERED_MS = 48 * 3600_000;
/** How often a list is written again that others have overwritten meanwhile. */
const REWRITES_MAX = 10;

/** The changes. */
export class Journal {
  readonly #shelf: Shelf;
  readonly #tabs: Tabs;
  readonly #known = new Map<string, Known>();
  #list: readonly Entry[] | undefined;
  /** False until what storage has was read: nothing may be written over that. */
  #isRead = false;
  #writing: Promise<unknown> = Promise.resolve();
  #nextWrite: Promise<boolean> | undefined;

  constructor(shelf: Shelf, tabs: Tabs) {
    this.#shelf = shelf;
    this.#tabs = tabs;
  }

  /** All changes that are not settled, the oldest first. */
  list(): readonly Entry[] {
    return (this.#list ??= this.#unsettled());
  }

  get(key: string): Known | undefined {
    return this.#known.get(key);
  }

  get newestKey(): string {
    const list = this.list();
    return list[list.length - 1]?.key ?? "";
  }

  /** True if a merge of this guest's changes is known. */
  isMerged(guest: number | undefined): boolean {
    return (
      guest !== undefined && [...this.#known.values()].some(({ guests }) => guests?.includes(guest))
    );
  }

  /**
   * Reads what storage has, with what other tabs have written. What makes no sense is a read that failed,
   * unless it is `given up`. Throws or rejects with `storage`.
   */
  load(givenUp = false): MaybePromise<void> {
    if (this.#shelf.isListable) {
      const names = this.#shelf.names(EACH);
      const bad = names.flatMap((name) => this.#take(this.#shelf.get(name) as string | null));
      this.#sweep(new Set(names));
      if (bad.length > 0 && !givenUp) throw this.#shelf.unread(bad[0]);
      return;
    }
    const take = (text: string | null): MaybePromise<void> => {
      const bad = this.#take(text);
      if (bad.length > 0 && !givenUp) throw this.#shelf.unread(bad[0]);
      // Nothing that may be a customer's is thrown away.
      if (bad.length > 0 && text !== null) void this.#shelf.set(`${NAME}.unread`, text);
      this.#sweep();
      this.#isRead = true;
    };
    return after(this.#shelf.get(NAME), take);
  }

  /** Takes the union with what another tab or the storage knows. Returns what this tab knows better. */
  join(theirs: readonly Known[]): Known[] {
    return theirs.flatMap((their) => {
      const mine = this.#known.get(their.key);
      if (mine && !replaces(mine, their)) return [mine];
      this.#known.set(their.key, their);
      this.#list = undefined;
      return [];
    });
  }

  /** Takes over what another tab knows or has written, and writes again what it has written over. */
  hear(theirs: readonly Known[]): void {
    const better = this.join(theirs);
    // A list may be without what was just heard: two tabs that keep no lock write at the same time.
    const mayMiss = !this.#shelf.isListable && !this.#tabs.canLock;
    if (better.length > 0 || mayMiss) void this.put(...better);
  }

  /**
   * Keeps changes, or what is now known of them. On a storage that is synchronous and listable, they are
   * kept when this returns. The result is false if they are only in memory.
   */
  put(...these: Known[]): MaybePromise<boolean> {
    this.join(these);
    if (these.length > 0) this.#tabs.tell({ about: "queue", known: these });
    if (!this.#shelf.isListable) return this.#writeAll();
    let all = true;
    for (const { key } of these) {
      const known = this.#known.get(key);
      const isOver = isSettled(known) && !this.#tabs.areMany;
      const written = isOver
        ? this.#shelf.remove(EACH + key)
        : this.#shelf.set(EACH + key, JSON.stringify(known));
      all = written === true && all;
    }
    return all;
  }

  /** Notes that changes were taken or refused, and returns what is known of them now. */
  settle(entries: readonly Entry[]): Settled[] {
    const done = Date.now();
    const settled = entries.map(({ key, covers, guests }): Settled => ({
      key,
      done,
      covers,
      guests,
    }));
    if (settled.length > 0) void this.put(...settled);
    return settled;
  }

  /** Takes over what a text says. Returns what of it makes no sense. */
  #take(text: string | null): readonly unknown[] {
    const { known, bad } = parsed(text);
    this.join(known);
    return bad;
  }

  #unsettled(): Entry[] {
    const known = [...this.#known.values()];
    const covered = new Set(known.flatMap(({ covers }) => covers ?? []));
    const entries = known.filter(
      (each): each is Entry => !isSettled(each) && !covered.has(each.key),
    );
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Forgets what was settled long ago. `names`: those that storage still has. */
  #sweep(names?: ReadonlySet<string>): void {
    const old = Date.now() - REMEMBERED_MS;
    for (const [key, each] of this.#known) {
      // One that this tab has slept over was settled by another, and that is forgotten.
      const isMissed = names && !names.has(EACH + key) && momentOf(key) < old;
      if (isSettled(each) ? each.done > old : !isMissed) continue;
      this.#known.delete(key);
      this.#list = undefined;
      if (names?.has(EACH + key)) void this.#shelf.remove(EACH + key);
    }
  }

  /** Writes the whole list. What is changed while a write runs shares the next one. */
  #writeAll(): Promise<boolean> {
    this.#nextWrite ??= this.#writing.then(() => {
      this.#nextWrite = undefined;
      const write = this.#writeNow();
      this.#writing = write;
      return write;
    });
    return this.#nextWrite;
  }

  async #writeNow(): Promise<boolean> {
    const { areMany } = this.#tabs;
    let kept = false;
    const writing = this.#tabs.alone("queue", async () => {
      for (let tries = 0; tries < REWRITES_MAX; tries += 1) {
        if (areMany || !this.#isRead) await this.load();
        const all = [...this.#known.values()].filter((each) => areMany || !isSettled(each));
        kept = await this.#shelf.set(NAME, JSON.stringify(all));
        if (!areMany || this.#tabs.canLock || !kept) return;
        // Without locks another tab may have written over it.
        await sleep(Math.random() * 20);
        const now = await this.#shelf.get(NAME);
        if (all.every((each) => now?.includes(JSON.stringify(each)))) return;
      }
    });
    // What could not be read must not be written over: the next write tries again.
    await writing.catch(() => undefined);
    return kept;
  }
}

/** True if `their` knows more of the change than `mine`, or the same. */
function replaces(mine: Known, their: Known): boolean {
  if (isSettled(mine)) return isSettled(their);
  if (isSettled(their)) return true;
  if (mine.owner === null || their.owner === null)
    return their.owner !== null || mine.owner === null;
  const later = (their.first?.at ?? 0) - (mine.first?.at ?? 0);
  if (!mine.covers || !their.covers || !mine.first || !their.first) return later >= 0;
  // The merge that was sent first is the one that the server has; it knew of fewer changes.
  return later < 0 || (later === 0 && their.covers.length <= mine.covers.length);
}

export function isSettled(known: Known | undefined): known is Settled {
  return known !== undefined && "done" in known;
}

/** What a text says of changes, and what of it makes no sense. */
export function parsed(text: string | null): {
  readonly known: readonly Known[];
  readonly bad: readonly unknown[];
} {
  if (text === null) return { known: [], bad: [] };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    return { known: [], bad: [error] };
  }
  const all = (Array.isArray(found) ? found : [found]) as unknown[];
  return { known: all.filter(isKnown), bad: all.filter((each) => !isKnown(each)) };
}

function isKnown(value: unknown): value is Known {
  const { key, done, change } = (value ?? {}) as Partial<Entry & Settled>;
  return typeof key === "string" && (typeof done === "number" || typeof change === "object");
}
