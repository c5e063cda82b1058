// Changes as requests, and what their answers say.

import { EvercartError } from "./errors.js";
import { ELSE_ANSWERED, type Call } from "./http.js";
import type { Entry, FirstTry } from "./journal.js";
import type { Said } from "./truth.js";
import type { Cart, Change, Wishlist } from "./types.js";
import { isOfCart } from "./view.js";

/** The request that makes the change; undefined if there is nothing to do. */
export function callOf({ change, covers }: Entry, first: FirstTry): Call | undefined {
  switch (change.kind) {
    case "add":
      return { method: "POST", path: "/cart/items", body: piecesOf(change) };
    case "set":
      if (first.line) {
        return {
          method: "PUT",
          path: `/cart/items/${first.line}`,
          body: { quantity: change.quantity },
        };
      }
      return change.quantity === 0
        ? undefined
        : { method: "POST", path: "/cart/items", body: piecesOf(change) };
    case "clear":
      return { method: "DELETE", path: "/cart" };
    case "merge": {
      const { items, strategy } = change;
      // The server ignores it, but does not take for the same what covers others.
      const of = covers?.map((key) => key.slice(10, 16)).join("");
      return { method: "POST", path: "/cart/merge", body: { items, strategy, of } };
    }
    case "wish":
      return { method: "POST", path: "/wishlist/items", body: { product_id: change.product_id } };
    case "unwish":
      return { method: "DELETE", path: `/wishlist/items/${change.product_id}` };
    case "unwish_all":
      return { method: "DELETE", path: "/wishlist" };
    case "move": {
      const path = `/wishlist/items/${change.product_id}/move-to-cart`;
      return { method: "POST", path, body: piecesOf(change) };
    }
  }
}

function piecesOf({ sku_id, quantity }: { sku_id: number; quantity: number }): object {
  return { sku_id, quantity };
}

/** True if making the change twice would not be the same as making it once. */
export function adds(change: Change, first: FirstTry): boolean {
  if (change.kind === "merge") return change.strategy === "sum";
  return change.kind === "add" || change.kind === "move" || (change.kind === "set" && !first.line);
}

export function saidOf(change: Change, value: unknown): Said {
  if (!isOfCart(change)) return { wishlist: checkedWishlist(value as Wishlist) };
  const cart = checkedCart(value as Cart);
  return change.kind === "move" ? { cart, unwished: change.product_id } : { cart };
}

// What a captive portal or a proxy says with 200 is no confirmation.

export function checkedCart(cart: Cart): Cart {
  const { items, version } = (cart as Partial<Cart> | null) ?? {};
  if (Array.isArray(items) && typeof version === "number") return cart;
  throw new EvercartError("network", ELSE_ANSWERED);
}

export function checkedWishlist(wishlist: Wishlist): Wishlist {
  if (Array.isArray((wishlist as Partial<Wishlist> | null)?.items)) return wishlist;
  throw new EvercartError("network", ELSE_ANSWERED);
}
