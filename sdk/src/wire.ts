// Changes as requests, and what their answers say.

import type { Asking, Method, Path } from "./api.js";
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
      return add(change);
    case "set":
      if (first.line) {
        const { quantity } = change;
        return asking({ method: "PUT", path: `/cart/items/${first.line}`, body: { quantity } });
      }
      return change.quantity === 0 ? undefined : add(change);
    case "clear":
      return asking({ method: "DELETE", path: "/cart" });
    case "merge": {
      const items = [...change.items];
      // The server ignores it, but does not take for the same what covers others.
      const of = covers?.map((key) => key.slice(10, 16)).join("");
      const body = { items, strategy: change.strategy, of };
      return asking({ method: "POST", path: "/cart/merge", body });
    }
    case "wish": {
      const { product_id } = change;
      return asking({ method: "POST", path: "/wishlist/items", body: { product_id } });
    }
    case "unwish":
      return asking({ method: "DELETE", path: `/wishlist/items/${change.product_id}` });
    case "unwish_all":
      return asking({ method: "DELETE", path: "/wishlist" });
    case "move": {
      const path = `/wishlist/items/${change.product_id}/move-to-cart` as const;
      return asking({ method: "POST", path, body: piecesOf(change) });
    }
  }
}

function add(change: Pieces): Call {
  return asking({ method: "POST", path: "/cart/items", body: piecesOf(change) });
}

/** A request, as long as the document has it. */
function asking<const Asked extends Path, Verb extends Method>(call: Asking<Asked, Verb>): Call {
  return call as Call;
}

interface Pieces {
  readonly sku_id: number;
  readonly quantity: number;
}

function piecesOf({ sku_id, quantity }: Pieces): Pieces {
  return { sku_id, quantity };
}

/** True if making the change twice would not be the same as making it once. */
export function adds(change: Change, first: FirstTry): boolean {
  if (change.kind === "merge") return change.strategy === "sum";
  return change.kind === "add" || change.kind === "move" || (change.kind === "set" && !first.line);
}

export function saidOf(change: Change, value: unknown): Said {
  if (!isOfCart(change)) return { wishlist: checkedWishlist(value) };
  const cart = checkedCart(value);
  return change.kind === "move" ? { cart, unwished: change.product_id } : { cart };
}

// What a captive portal or a proxy says with 200 is no confirmation.

export function checkedCart(value: unknown): Cart {
  const { items, version } = (value ?? {}) as Partial<Cart>;
  if (Array.isArray(items) && typeof version === "number") return value as Cart;
  throw new EvercartError("network", ELSE_ANSWERED);
}

export function checkedWishlist(value: unknown): Wishlist {
  if (Array.isArray(((value ?? {}) as Partial<Wishlist>).items)) return value as Wishlist;
  throw new EvercartError("network", ELSE_ANSWERED);
}
