// The shop as Svelte sees it: a client, and values that components follow by reading them.

import { createClient, type CartView, type Session } from "evercart";
import { createSubscriber } from "svelte/reactivity";

export const shop = createClient({
  url: import.meta.env.VITE_SHOP_URL ?? "http://127.0.0.1:8080",
  market: "us",
});

// While any component reads one of them, it is subscribed to.
const watchCart = createSubscriber((changed) => shop.cart.subscribe(changed));
const watchSession = createSubscriber((changed) => shop.auth.onChange(changed));

export const now = {
  get cart(): CartView {
    watchCart();
    return shop.cart.snapshot();
  },
  get session(): Session {
    watchSession();
    return shop.auth.session();
  },
};
