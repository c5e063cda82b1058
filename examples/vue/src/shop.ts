// The shop as Vue sees it: a client, and refs that follow what it shows.

import { createClient, type CartView, type Session, type Unsubscribe } from "evercart";
import { onScopeDispose, shallowRef, type Ref } from "vue";

export const shop = createClient({
  url: import.meta.env.VITE_SHOP_URL ?? "http://127.0.0.1:8080",
  market: "us",
});

/** A ref that has what `read` returns, as long as the component is there. */
function following<Value>(
  read: () => Value,
  subscribe: (changed: () => void) => Unsubscribe,
): Readonly<Ref<Value>> {
  const value = shallowRef(read());
  onScopeDispose(subscribe(() => (value.value = read())));
  return value;
}

export const useCart = (): Readonly<Ref<CartView>> =>
  following(
    () => shop.cart.snapshot(),
    (changed) => shop.cart.subscribe(changed),
  );

export const useSession = (): Readonly<Ref<Session>> =>
  following(
    () => shop.auth.session(),
    (changed) => shop.auth.onChange(changed),
  );
