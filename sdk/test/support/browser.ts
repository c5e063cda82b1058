// A browser with several tabs, as unkind as real ones: each tab sees the storage through a view of its
// own that lags, messages between tabs come late, twice, in another order or not at all, and no order
// holds between the two. The same seed gives the same delays.

import { vi } from "vitest";
import { seeded } from "./faults.js";
import { webLocks } from "./web-locks.js";
import type { TestWebStorage } from "./web-storage.js";

/** How unkind it is. */
export interface Unkind {
  /** The longest lag of a view or a message. */
  readonly lagMs: number;
  /** How many messages are lost, and how many come twice: from 0 to 1. */
  readonly lost: number;
  readonly twice: number;
  /** False as in a page without TLS. */
  readonly locks?: boolean;
}

export interface Browser {
  /** The storage as a new tab sees it. */
  open(): TestWebStorage;
  /** Resolves when every view shows what was written. */
  settled(): Promise<void>;
}

interface StorageEventLike {
  readonly storageArea: unknown;
  readonly key: string;
  readonly newValue: string | null;
}

interface View {
  readonly storage: TestWebStorage;
  receive(key: string, value: string | null, isOwn: boolean): void;
}

/** Sets the platform's globals; `vi.unstubAllGlobals` takes them back. */
export function browser(seed: number, unkind: Unkind): Browser {
  const random = seeded(seed);
  const items = new Map<string, string>();
  const views: View[] = [];
  const handlers = new Set<(event: StorageEventLike) => void>();
  let flying = 0;
  const later = (work: () => void, ms = random() * unkind.lagMs) => {
    flying += 1;
    setTimeout(() => {
      flying -= 1;
      work();
    }, ms);
  };
  /** Things that arrive late, but in their order. */
  const inOrder = () => {
    let due = 0;
    return (work: () => void) => {
      due = Math.max(performance.now() + random() * unkind.lagMs, due + 0.001);
      later(work, due - performance.now());
    };
  };

  function open(): TestWebStorage {
    const mine = new Map(items);
    const unconfirmed = new Map<string, number>();
    const toBrowser = inOrder();
    const fromBrowser = inOrder();
    const write = (key: string, value: string | null) => {
      put(mine, key, value);
      unconfirmed.set(key, (unconfirmed.get(key) ?? 0) + 1);
      toBrowser(() => {
        put(items, key, value);
        views.forEach((view) => {
          view.receive(key, value, view.storage === storage);
        });
      });
    };
    const storage: TestWebStorage = {
      get length() {
        return mine.size;
      },
      key: (index) => [...mine.keys()][index] ?? null,
      getItem: (key) => mine.get(key) ?? null,
      setItem: write,
      removeItem: (key) => {
        write(key, null);
      },
    };
    views.push({
      storage,
      receive: (key, value, isOwn) => {
        fromBrowser(() => {
          const own = unconfirmed.get(key) ?? 0;
          if (isOwn) unconfirmed.set(key, own - 1);
          if (isOwn) return;
          // What the tab has written itself stays until the browser has confirmed it. It hears of the
          // other all the same.
          if (own === 0) put(mine, key, value);
          handlers.forEach((handle) => {
            handle({ storageArea: storage, key, newValue: value });
          });
        });
      },
    });
    return storage;
  }

  const channels = new Set<Channel>();
  class Channel {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    constructor(readonly name: string) {
      channels.add(this);
    }
    postMessage(message: unknown): void {
      if (!channels.has(this)) throw new DOMException("closed", "InvalidStateError");
      const data = JSON.stringify(message);
      for (const other of channels) {
        if (other === this || other.name !== this.name) continue;
        const times = random() < unkind.lost ? 0 : random() < unkind.twice ? 2 : 1;
        for (let time = 0; time < times; time += 1)
          later(() => {
            if (channels.has(other)) other.onmessage?.({ data: JSON.parse(data) });
          });
      }
    }
    close(): void {
      channels.delete(this);
    }
  }

  vi.stubGlobal("BroadcastChannel", Channel);
  vi.stubGlobal("navigator", unkind.locks === false ? {} : { locks: webLocks() });
  vi.stubGlobal("addEventListener", (what: string, handle: (event: StorageEventLike) => void) => {
    if (what === "storage") handlers.add(handle);
  });
  vi.stubGlobal("removeEventListener", (_: string, handle: (event: StorageEventLike) => void) => {
    handlers.delete(handle);
  });
  return {
    open,
    async settled() {
      while (flying > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
}

function put(items: Map<string, string>, key: string, value: string | null): void {
  if (value === null) items.delete(key);
  else items.set(key, value);
}
