// Compiled, not run: what the API's document does not have is no request of the SDK's.

import type { Answer, Asking } from "../src/api.js";

export const add: Asking<"/cart/items", "POST"> = {
  method: "POST",
  path: "/cart/items",
  body: { sku_id: 42, quantity: 2 },
};
export const line: Asking<`/cart/items/${number}`, "PUT"> = {
  method: "PUT",
  path: "/cart/items/7",
  body: { quantity: 2 },
};
export const total = (cart: Answer<"/cart">): number => cart.total_items;

// @ts-expect-error there is no such path
export const noPath: Asking<"/carts"> = { path: "/carts" };
// @ts-expect-error an address without where it is
export const noField: Asking<"/profile/addresses", "POST">["body"] = { title: "Home" };
export const noNumber: Asking<`/products/${number}`> = {
  // @ts-expect-error an id is a number
  path: "/products/shirt",
};
export const noQuery: Asking<"/products">["query"] = {
  // @ts-expect-error there is no such parameter
  sorted: "by name",
};
