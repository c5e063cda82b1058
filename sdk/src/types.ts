// What the shop's answers are called. The shapes come from the server's API document (schema.ts);
// here they get names, and what the SDK adds to them.

import type { components } from "./schema.js";

type Schemas = components["schemas"];

/** A cart as the server says it. */
export type Cart = Omit<Schemas["Cart"], "notices" | "skipped"> & {
  /** What changed under the customer since the lines were last touched. */
  notices: Notice[];
  /** Only in the answer to a merge: what was not taken over, or not wholly. */
  skipped?: Skipped[];
};
/** One SKU in a cart. */
export type CartItem = Schemas["CartItem"];
/** What all notices have: which line they are about. What else one has, its `code` says. */
export interface AnyNotice extends Pick<Schemas["Notice"], "item_id" | "sku_id"> {
  /** What a piece cost when the customer last touched the line, and what it costs now. */
  was?: number;
  now?: number;
  /** Pieces left. */
  available?: number;
}
/**
 * What changed under the customer since a line was last touched: it costs something else, fewer pieces are
 * left than it has, or it is no longer for sale. A later server may say more; pass over what you do not know.
 */
export type Notice =
  | (AnyNotice & { code: "price_changed"; was: number; now: number })
  | (AnyNotice & { code: "insufficient_stock"; available: number })
  | (AnyNotice & { code: "unavailable" });
/** Why a merge did not take over all that was offered. */
export type SkipReason = Schemas["KnownSkipReason"];
/** A SKU of which a merge did not take over all that was offered, and why. */
export type Skipped = Omit<Schemas["Skipped"], "reason"> & { reason: SkipReason };
/** A wishlist as the server says it. */
export type Wishlist = Schemas["Wishlist"];
/** One product on a wishlist. */
export type WishlistItem = Schemas["WishlistItem"];
/** What a wishlist shows of a product. */
export type WishedProduct = Schemas["WishedProduct"];
/** An order. Names and prices in it are copies made at checkout and never change after. */
export type Order = Schemas["Order"];
/** How far an order is. */
export type OrderStatus = Schemas["OrderStatus"];
/** One SKU of an order. */
export type OrderItem = Schemas["OrderItem"];
/** Some of a customer's orders, the newest first. */
export type OrderPage = Pick<Schemas["Orders"], "orders" | "total" | "has_more">;
/** What a customer says when ordering the cart. */
export type Checkout = Omit<Schemas["Checkout"], "items" | "use_cart">;
/** A SKU to order, and how many pieces of it: 1 if left out. */
export interface OrderedItem {
  readonly sku_id: number;
  readonly quantity?: number | undefined;
}
/** A stored address. Exactly one of a customer's addresses is the default, if there are any. */
export type Address = Schemas["Address"];
/** An address to be stored, or what to change of one: what is left out stays, null empties. */
export type AddressFields = Schemas["AddressFields"];
/** A product as a list shows it. */
export type Product = Schemas["Product"];
/** A product with what can be bought of it. */
export type ProductPage = Schemas["ProductPage"];
/** What can be bought: one size and colour of a product. Its `id` is the `sku_id` for the cart. */
export type Sku = Schemas["Sku"];
/** Some of the products for sale. */
export type Products = Schemas["Products"];
/** A category with the number of its products. */
export type Category = Schemas["Category"];
/** A market: one country's shop with its own customers, catalogue and prices. */
export type Market = Schemas["Market"];
/** What delivery costs in a market, and from which price of the goods on it is free. */
export type Shipping = Schemas["Shipping"];
/** What the shop knows of a customer. */
export type Profile = Schemas["Profile"];
/** What to change of the profile. What is left out stays, null empties. */
export type ProfileChange = Schemas["ProfileChange"];
/** Who has signed in. The `id` never changes; cart, wishlist and orders hang on it. */
export type User = Schemas["SignedInUser"];
/** That a code is on its way. `demo_code` is there only in a demo shop. */
export type CodeSent = Schemas["CodeSent"];
/** One wrong field of a request. */
export type FieldError = Schemas["FieldError"];

/** Why the server no longer takes a token. */
export type SignOutReason = Extract<
  Schemas["KnownProblemCode"],
  "not_authenticated" | "token_invalid" | "token_expired" | "signed_out" | "user_blocked"
>;

/** Whether somebody is signed in, as far as this device knows. */
export interface Session {
  /**
   * - `loading`: the storage has not answered yet (never with localStorage, except while rendering
   *   on a server);
   * - `guest`: nobody; what goes into the cart is kept on this device until somebody signs in;
   * - `signed_in`: there is a token;
   * - `expired`: the token's time is over, or the server no longer takes it for another reason than
   *   a logout. The customer is still known: the cart is still shown, changes are kept and are sent
   *   when they sign in again.
   */
  readonly status: "loading" | "guest" | "signed_in" | "expired";
  /** Who it is; null for guests. */
  readonly user: User | null;
}

/** A line as it is shown: the server's, with changes that are on their way already made. */
export interface CartLine extends CartItem {
  /** True while a change of this line has not been confirmed by the server. */
  readonly pending: boolean;
}

/** The cart as it is shown: the server's, with changes that are on their way already made. */
export interface CartView extends Omit<Cart, "items"> {
  /** Lines in the order in which they were added. A line not yet on the server has a negative id. */
  readonly items: readonly CartLine[];
  /**
   * How many changes the server has not confirmed yet. 0: this is the server's truth, or a guest's cart,
   * which is on its way nowhere.
   */
  readonly pending: number;
  /** False until the cart was read from the server or, for a guest, from storage. */
  readonly loaded: boolean;
}

/** The wishlist as it is shown: the server's, with changes that are on their way already made. */
export interface WishlistView extends Wishlist {
  /** How many changes the server has not confirmed yet. */
  readonly pending: number;
  /** False until the wishlist was read from the server or, for a guest, from storage. */
  readonly loaded: boolean;
}

/**
 * What a new line shows until the server has answered; all of it is optional. What was seen with
 * `products.get` is known anyway.
 */
export type LineDetails = Partial<
  Pick<
    CartItem,
    | "product_id"
    | "sku_code"
    | "name"
    | "size"
    | "color"
    | "image"
    | "price"
    | "original_price"
    | "available"
  >
> & {
  /** What the price is in, ISO 4217. A guest's cart learns its currency from this. */
  readonly currency?: string;
};

/** One line of what is merged into a cart. */
export interface MergeItem {
  readonly sku_id: number;
  /** Pieces, 1 to 999. */
  readonly quantity: number;
}

/** How a merge counts a SKU that both sides have: the larger quantity, or both together. */
export type MergeStrategy = "max" | "sum";

/** A change of the cart or the wishlist, as it is kept until the server has taken it. */
export type Change =
  | {
      readonly kind: "add";
      readonly sku_id: number;
      readonly quantity: number;
      readonly details?: LineDetails;
    }
  | { readonly kind: "set"; readonly sku_id: number; readonly quantity: number }
  | { readonly kind: "clear" }
  | {
      readonly kind: "merge";
      readonly items: readonly MergeItem[];
      readonly strategy: MergeStrategy;
      /** What the lines show until the server has answered, by SKU. */
      readonly details?: Readonly<Record<number, LineDetails>>;
    }
  | {
      readonly kind: "wish";
      readonly product_id: number;
      readonly product?: Partial<WishedProduct>;
    }
  | { readonly kind: "unwish"; readonly product_id: number }
  | { readonly kind: "unwish_all" }
  | {
      readonly kind: "move";
      readonly product_id: number;
      readonly sku_id: number;
      readonly quantity: number;
      readonly details?: LineDetails;
    };

/** The whole of what a shop holds about a customer, as one JSON document. */
export type Export = Schemas["Export"];
