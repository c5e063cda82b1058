// React's view of a client. Every hook reads a store, so that it renders on a server (as `loading`, the
// same for every visitor) and shows the same in all components at once.

import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from "react";
import type {
  Address,
  AddressFields,
  CartView,
  Category,
  Checkout,
  Client,
  CodeSent,
  EvercartErrorOf,
  LineDetails,
  LogoutResult,
  Order,
  OrderedItem,
  OrderStatus,
  Product,
  ProductPage,
  Session,
  SignInResult,
  WishedProduct,
  WishlistView,
} from "./index.js";
import { listStore, NOTHING, one, type ListState, type ListStore } from "./list.js";

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

/** Something a customer can do, and how its last run went. */
export interface Action<Arguments extends readonly unknown[], Result> {
  /** Does it. What the shop refuses is not thrown: it is in `error`, and this resolves with undefined. */
  readonly run: (...given: Arguments) => Promise<Result | undefined>;
  readonly status: "idle" | "pending" | "success" | "error";
  /** What came of it, while `status` is `success`. */
  readonly data: Result | undefined;
  /** Why it was not done, while `status` is `error`. */
  readonly error: EvercartErrorOf | null;
  /** Back to `idle`. What still runs is done, and no longer shown. */
  readonly reset: () => void;
}

interface Outcome<Result> {
  readonly status: Action<never, Result>["status"];
  readonly data?: Result;
  readonly error?: EvercartErrorOf;
}

/** Gives any method a status: `const add = useAction(useCart().add)`, then `add.run(42)`. */
export function useAction<Arguments extends readonly unknown[], Result>(
  act: (...given: Arguments) => Promise<Result>,
): Action<Arguments, Result> {
  const [outcome, show] = useState<Outcome<Result>>({ status: "idle" });
  // Counts the runs, so that one that was overtaken or reset is not shown.
  const newest = useRef(0);
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  const run = useCallback(async (...given: Arguments) => {
    const mine = (newest.current += 1);
    const end = (how: Outcome<Result>) => {
      if (mine === newest.current) show(how);
    };
    show({ status: "pending" });
    try {
      const data = await latest.current(...given);
      end({ status: "success", data });
      return data;
    } catch (error) {
      end({ status: "error", error: error as EvercartErrorOf });
      return undefined;
    }
  }, []);
  const reset = useCallback(() => {
    newest.current += 1;
    show({ status: "idle" });
  }, []);
  return useMemo(
    () => ({ data: undefined, error: null, ...outcome, run, reset }),
    [outcome, run, reset],
  );
}

/** Signing in, in two steps, and out. */
export interface UseSignIn {
  /** Where the last code was sent; null until one was. Show the field for the code while it is there. */
  readonly phone: string | null;
  readonly sendCode: Action<[phone: string], CodeSent>;
  /** Signs in with the code that was sent to `phone`; that is null again then. */
  readonly verifyCode: Action<[code: string], SignInResult>;
  /** Back to the phone. */
  readonly startOver: () => void;
  readonly signOut: Action<[], LogoutResult>;
}

/** Signing in and out. Who is signed in, `useSession` says. */
export function useSignIn(): UseSignIn {
  const { auth } = useClient();
  const [phone, setPhone] = useState<string | null>(null);
  // Both steps may be run by one press, with no render between them.
  const sentTo = useRef("");
  const sendCode = useAction(async (to: string) => {
    const sent = await auth.sendCode(to);
    sentTo.current = to;
    setPhone(to);
    return sent;
  });
  const verifyCode = useAction(async (code: string) => {
    const result = await auth.verifyCode(sentTo.current, code);
    setPhone(null);
    return result;
  });
  const signOut = useAction(() => auth.logout());
  const { reset: forgetCode } = sendCode;
  const { reset: forgetTry } = verifyCode;
  const startOver = useCallback(() => {
    setPhone(null);
    forgetCode();
    forgetTry();
  }, [forgetCode, forgetTry]);
  return { phone, sendCode, verifyCode, startOver, signOut };
}

/** Making orders. */
export interface UseCheckout {
  /** Orders the cart, at most once; see `orders.checkout`. */
  readonly checkout: Action<[form: Checkout], Order>;
  /** Orders these items and leaves the cart alone; see `orders.orderItems`. */
  readonly orderItems: Action<[items: readonly OrderedItem[], form: Checkout], Order>;
}

/** Making orders: `checkout.data` is the order once it is placed. */
export function useCheckout(): UseCheckout {
  const { orders } = useClient();
  const checkout = useAction((form: Checkout) => orders.checkout(form));
  const orderItems = useAction((items: readonly OrderedItem[], form: Checkout) =>
    orders.orderItems(items, form),
  );
  return { checkout, orderItems };
}

/** How a read stands. */
export interface Reading {
  readonly loading: boolean;
  /** Why it could not be read; null if it could. */
  readonly error: EvercartErrorOf | null;
  /** Reads it now. */
  readonly refresh: () => Promise<void>;
}

/** A list that is read in pages. */
export interface Paged extends Reading {
  readonly total: number;
  readonly hasMore: boolean;
  /** Reads the next ones, to be shown after those that are there. */
  readonly loadMore: () => Promise<void>;
}

/** The orders and what can be done with them. */
export interface UseOrders extends Paged {
  readonly orders: readonly Order[];
  readonly cancel: (id: number) => Promise<Order>;
}

/** The customer's orders, the newest first; read again after a checkout, a cancellation or a sign-in. */
export function useOrders(options: { status?: OrderStatus; limit?: number } = {}): UseOrders {
  const client = useClient();
  const { status, limit = 20 } = options;
  const store = useMemo(() => {
    const { orders, auth } = client;
    return listStore(limit, {
      mayRead: async () => (await auth.ready()).status === "signed_in",
      read: async (wanted, offset) => {
        const page = await orders.list({ status, limit: wanted, offset });
        return { items: page.orders, total: page.total, hasMore: page.has_more };
      },
      changes: [(changed) => orders.onChange(changed), (changed) => auth.onChange(changed)],
    });
  }, [client, status, limit]);
  const list = useList(store);
  return useMemo(() => {
    const { items, ...reading } = list;
    return { ...reading, orders: items, cancel: (id: number) => client.orders.cancel(id) };
  }, [list, client]);
}

/** The addresses and what can be done with them. */
export interface UseAddresses extends Reading {
  /** The default first. */
  readonly addresses: readonly Address[];
  readonly add: Action<[fields: AddressFields & { full_address: string }], Address>;
  readonly update: Action<[id: number, fields: AddressFields], Address>;
  readonly remove: Action<[id: number], void>;
}

/** The customer's addresses; read again after a change that is made with this hook, and a sign-in. */
export function useAddresses(): UseAddresses {
  const { addresses: api, auth } = useClient();
  const store = useMemo(
    () =>
      listStore(1, {
        mayRead: async () => (await auth.ready()).status === "signed_in",
        read: async () => {
          const items = await api.list();
          return { items, total: items.length, hasMore: false };
        },
        changes: [(changed) => auth.onChange(changed)],
      }),
    [api, auth],
  );
  const { items, loading, error, refresh } = useList(store);
  const then = async <Result>(change: Promise<Result>): Promise<Result> => {
    const result = await change;
    await refresh();
    return result;
  };
  const add = useAction((fields: AddressFields & { full_address: string }) =>
    then(api.add(fields)),
  );
  const update = useAction((id: number, fields: AddressFields) => then(api.update(id, fields)));
  const remove = useAction((id: number) => then(api.remove(id)));
  return { addresses: items, loading, error, refresh, add, update, remove };
}

/** Products that are for sale. */
export interface UseProducts extends Paged {
  readonly products: readonly Product[];
}

/** Products that are for sale, a page at a time. */
export function useProducts(
  options: { search?: string; category?: string; limit?: number } = {},
): UseProducts {
  const { products: api } = useClient();
  const { search, category, limit = 20 } = options;
  const store = useMemo(
    () =>
      listStore(limit, {
        read: async (wanted, offset) => {
          const page = await api.search({ search, category, limit: wanted, offset });
          return { items: page.products, total: page.total, hasMore: page.has_more };
        },
      }),
    [api, search, category, limit],
  );
  const { items, ...reading } = useList(store);
  return { ...reading, products: items };
}

/** One product with what can be bought of it; null until it is read. */
export function useProduct(id: number): Reading & { readonly product: ProductPage | null } {
  const { products } = useClient();
  const store = useMemo(
    () =>
      listStore(
        1,
        one(() => products.get(id)),
      ),
    [products, id],
  );
  const { items, loading, error, refresh } = useList(store);
  return { product: items[0] ?? null, loading, error, refresh };
}

/** The categories that have products for sale. */
export function useCategories(): Reading & { readonly categories: readonly Category[] } {
  const { products } = useClient();
  const store = useMemo(
    () =>
      listStore(
        1,
        one(() => products.categories()),
      ),
    [products],
  );
  const { items, loading, error, refresh } = useList(store);
  return { categories: items[0] ?? [], loading, error, refresh };
}

function useList<Item>(store: ListStore<Item>): ListState<Item> & Omit<Paged, "total"> {
  const state = useSyncExternalStore<ListState<Item>>(
    store.subscribe,
    store.snapshot,
    () => NOTHING,
  );
  useEffect(() => {
    void store.refresh();
  }, [store]);
  const { refresh, loadMore } = store;
  return useMemo(() => ({ ...state, refresh, loadMore }), [state, refresh, loadMore]);
}
