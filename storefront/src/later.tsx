// Parts that nobody begins with: they are loaded after the first page is shown.

import { useState, type ComponentType } from "react";
import { useLoaded } from "./loaded";
import { Skeletons, Trouble } from "./pieces";

/** How long after the first page the others are loaded. They should be there when the network is not. */
const LATER_MS = 1_500;

type Get = () => Promise<unknown>;
/** What most visitors want next: loaded at once after the first page. */
const next = new Set<Get>();
const others = new Set<Get>();

/** A part that is loaded when it is first shown, or before. */
function later<Props extends object>(load: () => Promise<ComponentType<Props>>, when = others) {
  let part: { readonly Page: ComponentType<Props> } | undefined;
  const get = async () => (part = { Page: await load() });
  when.add(get);
  return function Later(props: Props) {
    const [known] = useState(part);
    const { value = known, error, again } = useLoaded(get, [], known === undefined);
    // What is there no more after the shop was changed, is there for a page that is loaded anew.
    const retry = () => (navigator.onLine ? location.reload() : again());
    if (value) return <value.Page {...props} />;
    return error === undefined ? <Skeletons count={2} /> : <Trouble error={error} again={retry} />;
  };
}

export const CartContents = later(async () => (await import("./cart-contents")).CartContents, next);
export const ProductPage = later(async () => {
  // What is put into the cart is shown there, also if the network is gone by then.
  const [{ ProductPage }] = await Promise.all([import("./product"), import("./cart-contents")]);
  return ProductPage;
}, next);
export const CartPage = later(async () => (await import("./cart-contents")).CartPage);
export const Checkout = later(async () => (await import("./checkout")).Checkout);
export const Orders = later(async () => (await import("./orders")).Orders);
export const OrderPage = later(async () => (await import("./orders")).OrderPage);
export const Account = later(async () => (await import("./account")).Account);
export const Wishlist = later(async () => (await import("./wishlist")).Wishlist);
export const LegalPage = later(async () => (await import("./legal")).LegalPage);
export const SignInPage = later(async () => (await import("./sign-in")).SignInPage);

/** Loads them when there is nothing else to do. */
export function loadLater(): () => void {
  // What fails is tried again when it is asked for.
  const loadAll = (parts: Set<Get>) => {
    for (const get of parts) get().catch(() => undefined);
  };
  loadAll(next);
  const timer = setTimeout(() => loadAll(others), LATER_MS);
  return () => clearTimeout(timer);
}
