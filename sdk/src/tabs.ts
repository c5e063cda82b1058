// What several tabs with one storage do together: tell each other what changed, and let one of them at
// a time do what only one has to. A message may come before or after the storage shows what it speaks of,
// twice, or never; so it carries what it speaks of, and the storage's own events bring the same. Where the
// platform has no channel or no locks, each tab works on its own; the idempotency keys keep that harmless.

import type { Known, Settled } from "./journal.js";
import type { Unsubscribe } from "./listeners.js";
import type { Kept } from "./session.js";
import type { Said } from "./truth.js";
import type { Cart } from "./types.js";

/** What tabs tell each other. */
export type Message =
  | { readonly about: "session"; readonly kept: Kept }
  | { readonly about: "queue"; readonly known: readonly Known[] }
  | {
      readonly about: "settled";
      readonly settled: readonly Settled[];
      /** The key of the change that was sent. */
      readonly key: string;
      readonly owner: number;
      /** What the server said, if it took the change. */
      readonly said?: Said;
      /** Why, if it did not. */
      readonly error?: SentError;
    }
  | { readonly about: "cart"; readonly owner: number; readonly cart: Cart };

/** An error, as it can be sent to another tab. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean },
    work: (lock: unknown) => Promise<unknown>,
  ): Promise<unknown>;
}

interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
  unref?(): void;
}

/** Longer than any tab needs the lock for; who waits longer goes on without it. */
const LOCK_WAIT_MAX_MS = 30_000;

/** The tabs of one storage. */
export class Tabs {
  readonly #name: string;
  readonly #storage: unknown;
  readonly #locks: Locks | undefined;
  #channel: Channel | undefined;
  #unsubscribe: Unsubscribe | undefined;

  /** False for a storage that only this client uses. */
  readonly areMany: boolean;

  constructor(name: string, storage: unknown, areMany: boolean) {
    this.#name = name;
    this.#storage = storage;
    this.areMany = areMany;
    if (!areMany) return;
    this.#locks = (globalThis.navigator as { locks?: Locks } | undefined)?.locks;
    if (typeof BroadcastChannel === "function") {
      // Tabs of an older build speak another language: they hear of writes only.
      this.#channel = new BroadcastChannel(`${name}2`) as Channel;
      // Node would otherwise not end while the channel is open.
      this.#channel.unref?.();
    }
  }

  /** False where tabs cannot keep out of each other's way. */
  get canLock(): boolean {
    return this.#locks !== undefined;
  }

  /** `read` is called with what another tab has written: the name without the prefix, and the text. */
  listen(
    hear: (message: Message) => void,
    read: (name: string, text: string | null) => void,
  ): void {
    if (this.#channel)
      this.#channel.onmessage = (event) => {
        hear(event.data as Message);
      };
    if (!this.areMany || typeof addEventListener !== "function") return;
    const onStorage = ({ storageArea, key, newValue }: StorageEvent) => {
      if (storageArea === this.#storage && key?.startsWith(this.#name))
        read(key.slice(this.#name.length), newValue);
    };
    addEventListener("storage", onStorage);
    this.#unsubscribe = () => {
      removeEventListener("storage", onStorage);
    };
  }

  tell(message: Message): void {
    this.#channel?.postMessage(message);
  }

  /** Does `work` while no other tab does work of that name. */
  async alone(what: string, work: () => Promise<void>): Promise<void> {
    if (!this.#locks) return work();
    const patience = new AbortController();
    const timer = setTimeout(() => {
      patience.abort();
    }, LOCK_WAIT_MAX_MS);
    let begun = false as boolean;
    try {
      await this.#locks.request(`${this.#name}${what}`, { signal: patience.signal }, () => {
        begun = true;
        clearTimeout(timer);
        return work();
      });
    } catch (error) {
      if (begun) throw error;
      // The lock was not to be had: a frozen tab has it, or the page may not use locks.
      await work();
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Makes this tab the one that does `work`, now or when the tab that does it goes; `otherwise` is done
   * at once if another tab does. Ends with the signal.
   */
  async lead(
    what: string,
    signal: AbortSignal,
    work: () => Promise<void>,
    otherwise: () => void,
  ): Promise<void> {
    if (!this.#locks) return work();
    const name = `${this.#name}${what}`;
    let begun = false as boolean;
    const lead = (lock: unknown) => {
      if (lock === null) return Promise.resolve();
      begun = true;
      return work();
    };
    try {
      await this.#locks.request(name, { ifAvailable: true }, lead);
      if (begun || isOver(signal)) return;
      otherwise();
      await this.#locks.request(name, { signal }, lead);
    } catch (error) {
      if (isOver(signal)) return;
      if (begun) throw error;
      await work();
    }
  }

  close(): void {
    this.#unsubscribe?.();
    this.#channel?.close();
    // A closed channel throws when it is spoken to.
    this.#channel = undefined;
  }
}

function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** True if other pages see what is written to this storage. */
export function isShared(storage: unknown): boolean {
  try {
    return typeof document !== "undefined" && storage === globalThis.localStorage;
  } catch {
    return false;
  }
}

/** Calls `wake` when the page becomes visible or the network comes back. */
export function onWake(wake: () => void): Unsubscribe {
  if (typeof document === "undefined" || typeof addEventListener !== "function")
    return () => undefined;
  const seen = () => {
    if (document.visibilityState === "visible") wake();
  };
  addEventListener("online", wake);
  addEventListener("pageshow", seen);
  document.addEventListener("visibilitychange", seen);
  return () => {
    removeEventListener("online", wake);
    removeEventListener("pageshow", seen);
    document.removeEventListener("visibilitychange", seen);
  };
}
