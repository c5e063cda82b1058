// Lists that components show: read once for all that watch one, and again when what they show has changed.

import type { EvercartErrorOf } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";

/** A list as it is shown. */
export interface ListState<Item> {
  readonly items: readonly Item[];
  readonly total: number;
  readonly hasMore: boolean;
  readonly loading: boolean;
  readonly error: EvercartErrorOf | null;
}

/** Where a list comes from. */
export interface ListSource<Item> {
  /** False while there is nobody whose list it would be. */
  readonly mayRead?: () => Promise<boolean>;
  readonly read: (
    limit: number,
    offset: number,
  ) => Promise<Pick<ListState<Item>, "items" | "total" | "hasMore">>;
  /** What makes it be read again. */
  readonly changes?: readonly ((changed: () => void) => Unsubscribe)[];
}

/** A list that can be watched. */
export interface ListStore<Item> {
  readonly snapshot: () => ListState<Item>;
  readonly subscribe: (changed: () => void) => Unsubscribe;
  readonly refresh: () => Promise<void>;
  readonly loadMore: () => Promise<void>;
}

/** Before the first read. */
export const NOTHING: ListState<never> = {
  items: [],
  total: 0,
  hasMore: false,
  loading: true,
  error: null,
};

/** One thing, as a list of it. */
export function one<Item>(read: () => Promise<Item>): ListSource<Item> {
  return { read: async () => ({ items: [await read()], total: 1, hasMore: false }) };
}

/** A list of which `limit` entries are read at a time. */
export function listStore<Item>(limit: number, source: ListSource<Item>): ListStore<Item> {
  let state: ListState<Item> = NOTHING;
  // Counts the reads, so that an answer that was overtaken is not shown.
  let newest = 0;
  const listeners = new Set<() => void>();
  const show = (next: ListState<Item>) => {
    state = next;
    listeners.forEach((changed) => {
      changed();
    });
  };
  const read = async (offset: number, wanted: number) => {
    const mine = (newest += 1);
    if (source.mayRead && !(await source.mayRead())) {
      if (mine === newest) show({ ...NOTHING, loading: false });
      return;
    }
    show({ ...state, loading: true });
    try {
      const page = await source.read(wanted, offset);
      if (mine !== newest) return;
      const items = [...state.items.slice(0, offset), ...page.items];
      show({ ...page, items, loading: false, error: null });
    } catch (error) {
      if (mine === newest) show({ ...state, loading: false, error: error as EvercartErrorOf });
    }
  };
  const refresh = () => read(0, Math.min(100, Math.max(limit, state.items.length)));
  return {
    snapshot: () => state,
    subscribe: (changed) => {
      listeners.add(changed);
      const ends = source.changes?.map((change) => change(() => void refresh())) ?? [];
      return () => {
        listeners.delete(changed);
        ends.forEach((end) => {
          end();
        });
      };
    },
    refresh,
    loadMore: () => read(state.items.length, limit),
  };
}
