// What an order will cost, worked out before it is placed as the server does when it is.

import type { Cart, Market } from "./types.js";
import { fromThousandths, thousandths } from "./view.js";

/** What an order of the cart costs. The names are those of the order. */
export interface Quote {
  /** The goods. */
  readonly subtotal: number;
  /** Their delivery; 0 where it is free. */
  readonly shipping_cost: number;
  /** Both: what a customer should see before ordering, and the `expected_total` of a checkout. */
  readonly total_amount: number;
}

/** What the cart costs with delivery. `market` is the client's, one of `auth.markets()`. */
export function quote(cart: Pick<Cart, "total_price">, market: Pick<Market, "shipping">): Quote {
  const { flat, free_from } = market.shipping;
  const subtotal = cart.total_price;
  const shipping_cost = free_from !== null && subtotal >= free_from ? 0 : flat;
  const total_amount = fromThousandths(thousandths(subtotal) + thousandths(shipping_cost));
  return { subtotal, shipping_cost, total_amount };
}
