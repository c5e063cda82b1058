// The shop as queries. What the shop itself keeps (cart, session) is put into the cache when it changes, so
// that it needs no refetching; the rest is asked for as any other data.

import {
  queryOptions,
  QueryClient,
  useMutation,
  useQuery,
  type UseQueryResult,
} from "@tanstack/react-query";
import { createClient, isEvercartError, type CartView, type Checkout } from "evercart";

export const shop = createClient({
  url: import.meta.env.VITE_SHOP_URL ?? "http://127.0.0.1:8080",
  market: "us",
});

export const queries = new QueryClient({
  // The client tries again by itself, with an idempotency key where that is needed.
  defaultOptions: { queries: { retry: false }, mutations: { retry: false } },
});

const CART = ["cart"];
const ORDERS = ["orders"];

// From this tab, another tab or another device.
shop.cart.subscribe((cart) => queries.setQueryData(CART, cart));
shop.auth.onChange(() => void queries.invalidateQueries({ queryKey: ORDERS }));
shop.orders.onChange(() => void queries.invalidateQueries({ queryKey: ORDERS }));

export const productsQuery = queryOptions({
  queryKey: ["products"],
  queryFn: ({ signal }) => shop.products.search({ limit: 3 }, signal),
});

export const productQuery = (id: number) =>
  queryOptions({
    queryKey: ["products", id],
    queryFn: ({ signal }) => shop.products.get(id, signal),
  });

export function useCart(): UseQueryResult<CartView> {
  return useQuery({
    queryKey: CART,
    queryFn: ({ signal }) => shop.cart.get(signal),
    initialData: () => shop.cart.snapshot(),
    staleTime: Infinity,
  });
}

export const ordersQuery = queryOptions({
  queryKey: ORDERS,
  queryFn: async ({ signal }) => {
    const { status } = await shop.auth.ready();
    return status === "signed_in" ? (await shop.orders.list({}, signal)).orders : [];
  },
});

export function useCheckout() {
  return useMutation({ mutationFn: (form: Checkout) => shop.orders.checkout(form) });
}

export function message(error: unknown): string {
  if (isEvercartError(error, "insufficient_stock")) return `Only ${error.facts.available} left`;
  return error instanceof Error ? error.message : String(error);
}
