// React's view of a client. Every hook reads a store, so that it renders on a server (as `loading`, the
// same for every visitor) and shows the same in all components at once.

import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from "react";
import type {
  CartView,
  Client,
  EvercartError,
  LineDetails,
  Order,
  OrderStatus,
  Session,
  Unsubscribe,
  WishedProduct,
  WishlistView,
} from "./index.js";

const Context = createContext<Client | null>(null);

/** Gives the client to all components below. */
export function EvercartProvider(props: { client: Client; children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: props.client }, props.children);
}

/** The client that `EvercartProvider` gave. */
export function useClient(): Client {
  const client = useContext(Context);
  if (client === null) throw new Error("useClient needs an <EvercartProvider client={…}> above it");
  return client;
}

const LOADING: Session = { status: "loading", user: null };
const NO_CART: CartView = {
  id: 0,
  user_id: 0,
  version: 0,
  currency: "",
  items: [],
  total_items: 0,
  total_price: 0,
  notices: [],
  updated_at: null,
  pending: 0,
  loaded: false,
};
const NO_WISHLIST: WishlistView = {
  id: 0,
  user_id: 0,
  items: [],
  total_items: 0,
  pending: 0,
  loaded: false,
};

/** Who is signed in. */
export interface UseSession extends Session {
  readonly signedIn: boolean;
}

/** Who is signed in; renders again when that changes, in this tab or another. */
export function useSession(): UseSession {
  const { auth } = useClient();
  const subscribe = useCallback((changed: () => void) => auth.onChange(changed), [auth]);
  const session = useSyncExternalStore(
    subscribe,
    () => auth.session(),
    () => LOADING,
  );
  return useMemo(() => ({ ...session, signedIn: session.status === "signed_in" }), [session]);
}

/** The cart and what can be done with it. */
export interface UseCart {
  /** The cart as it is shown: with changes that are on their way already made. */
  readonly cart: CartView;
  readonly add: (skuId: number, quantity?: number, details?: LineDetails) => Promise<CartView>;
  readonly setQuantity: (skuId: number, quantity: number) => Promise<CartView>;
  readonly remove: (skuId: number) => Promise<CartView>;
  readonly clear: () => Promise<CartView>;
  /** Reads it from the server now. */
  readonly refresh: () => Promise<CartView>;
}

/** The cart, kept up to date while the component is there. */
export function useCart(): UseCart {
  const { cart: api } = useClient();
  const subscribe = useCallback((changed: () => void) => api.subscribe(changed), [api]);
  const cart = useSyncExternalStore(
    subscribe,
    () => api.snapshot(),
    () => NO_CART,
  );
  const actions = useMemo(
    () => ({
      add: (skuId: number, quantity?: number, details?: LineDetails) =>
        api.add(skuId, quantity, details),
      setQuantity: (skuId: number, quantity: number) => api.setQuantity(skuId, quantity),
      remove: (skuId: number) => api.remove(skuId),
      clear: () => api.clear(),
      refresh: () => api.get(),
    }),
    [api],
  );
  return useMemo(() => ({ cart, ...actions }), [cart, actions]);
}

/** The wishlist and what can be done with it. */
export interface UseWishlist {
  readonly wishlist: WishlistView;
  /** True if the product is on it. */
  readonly has: (productId: number) => boolean;
  readonly add: (productId: number, product?: Partial<WishedProduct>) => Promise<WishlistView>;
  readonly remove: (productId: number) => Promise<WishlistView>;
  readonly clear: () => Promise<WishlistView>;
  readonly moveToCart: (
    productId: number,
    skuId: number,
    quantity?: number,
    details?: LineDetails,
  ) => Promise<CartView>;
  readonly refresh: () => Promise<WishlistView>;
}

/** The wishlist; read when the component appears and when somebody signs in. */
export function useWishlist(): UseWishlist {
  const { wishlist: api } = useClient();
  const subscribe = useCallback((changed: () => void) => api.subscribe(changed), [api]);
  const wishlist = useSyncExternalStore(
    subscribe,
    () => api.snapshot(),
    () => NO_WISHLIST,
  );
  const actions = useMemo(
    () => ({
      add: (productId: number, product?: Partial<WishedProduct>) => api.add(productId, product),
      remove: (productId: number) => api.remove(productId),
      clear: () => api.clear(),
      moveToCart: (productId: number, skuId: number, quantity?: number, details?: LineDetails) =>
        api.moveToCart(productId, skuId, quantity, details),
      refresh: () => api.get(),
    }),
    [api],
  );
  return useMemo(() => {
    const products = new Set(wishlist.items.map((item) => item.product_id));
    return { wishlist, has: (productId: number) => products.has(productId), ...actions };
  }, [wishlist, actions]);
}

/** The orders and what can be done with them. */
export interface UseOrders {
  readonly orders: readonly Order[];
  readonly total: number;
  readonly hasMore: boolean;
  readonly loading: boolean;
  /** Why they could not be read; null if they could. */
  readonly error: EvercartError | null;
  readonly refresh: () => Promise<void>;
  /** Reads the next ones, to be shown after those that are there. */
  readonly loadMore: () => Promise<void>;
  readonly cancel: (id: number) => Promise<Order>;
}

interface OrderState {
  readonly orders: readonly Order[];
  readonly total: number;
  readonly hasMore: boolean;
  readonly loading: boolean;
  readonly error: EvercartError | null;
}

const NO_ORDERS: OrderState = { orders: [], total: 0, hasMore: false, loading: true, error: null };

/** The customer's orders, the newest first; read again after a checkout, a cancellation or a sign-in. */
export function useOrders(options: { status?: OrderStatus; limit?: number } = {}): UseOrders {
  const client = useClient();
  const { status, limit = 20 } = options;
  const store = useMemo(() => orderStore(client, status, limit), [client, status, limit]);
  const state = useSyncExternalStore(store.subscribe, store.snapshot, () => NO_ORDERS);
  useEffect(() => {
    void store.refresh();
  }, [store]);
  return useMemo(
    () => ({
      ...state,
      refresh: store.refresh,
      loadMore: store.loadMore,
      cancel: (id: number) => client.orders.cancel(id),
    }),
    [state, store, client],
  );
}

interface OrderStore {
  readonly snapshot: () => OrderState;
  readonly subscribe: (changed: () => void) => Unsubscribe;
  readonly refresh: () => Promise<void>;
  readonly loadMore: () => Promise<void>;
}

function orderStore(client: Client, status: OrderStatus | undefined, limit: number): OrderStore {
  let state = NO_ORDERS;
  // Counts the reads, so that an answer that was overtaken is not shown.
  let newest = 0;
  const listeners = new Set<() => void>();
  const show = (next: OrderState) => {
    state = next;
    listeners.forEach((changed) => {
      changed();
    });
  };
  const read = async (offset: number, wanted: number) => {
    const mine = (newest += 1);
    if ((await client.auth.ready()).status !== "signed_in") {
      if (mine === newest) show({ ...NO_ORDERS, loading: false });
      return;
    }
    show({ ...state, loading: true });
    try {
      const page = await client.orders.list({ status, limit: wanted, offset });
      if (mine !== newest) return;
      const orders = [...state.orders.slice(0, offset), ...page.orders];
      show({ orders, total: page.total, hasMore: page.has_more, loading: false, error: null });
    } catch (error) {
      if (mine === newest) show({ ...state, loading: false, error: error as EvercartError });
    }
  };
  const refresh = () => read(0, Math.min(100, Math.max(limit, state.orders.length)));
  return {
    snapshot: () => state,
    subscribe: (changed) => {
      listeners.add(changed);
      const ends = [
        client.orders.onChange(() => void refresh()),
        client.auth.onChange(() => void refresh()),
      ];
      return () => {
        listeners.delete(changed);
        ends.forEach((end) => {
          end();
        });
      };
    },
    refresh,
    loadMore: () => read(state.orders.length, limit),
  };
}
