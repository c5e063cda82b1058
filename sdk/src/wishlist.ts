// The customer's wishlist, as it is shown: the server's truth with the changes that are on their way.

import type { Core } from "./core.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import type {
  Cart,
  CartView,
  LineDetails,
  WishedProduct,
  Wishlist as ServerWishlist,
  WishlistView,
} from "./types.js";

const EMPTY: WishlistView = {
  id: 0,
  user_id: 0,
  items: [],
  total_items: 0,
  pending: 0,
  loaded: false,
};

/** The wishlist. A product is on it at most once. */
export class Wishlist {
  readonly #core: Core;
  readonly #changed = new Listeners<WishlistView>();
  #view: WishlistView = EMPTY;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /** The wishlist as this device knows it; the same object until that changes. */
  snapshot(): WishlistView {
    return this.#view;
  }

  /** Reads the wishlist from the server; see `cart.get`. */
  async get(signal?: AbortSignal): Promise<WishlistView> {
    const answer = await this.#core.own<ServerWishlist>({
      method: "GET",
      path: "/wishlist",
      signal,
    });
    return this.#take(answer.value);
  }

  /** Puts a product on it. `product` is what is shown of it until the server has answered. */
  async add(productId: number, _product?: Partial<WishedProduct>): Promise<WishlistView> {
    return this.#change("POST", "/wishlist/items", { product_id: productId });
  }

  /** Takes a product off. */
  async remove(productId: number): Promise<WishlistView> {
    return this.#change("DELETE", `/wishlist/items/${productId}`);
  }

  /** Takes everything off. */
  async clear(): Promise<WishlistView> {
    return this.#change("DELETE", "/wishlist");
  }

  /** Puts a SKU of the product into the cart and takes the product off the wishlist: both or neither. */
  async moveToCart(
    productId: number,
    skuId: number,
    quantity = 1,
    _details?: LineDetails,
  ): Promise<CartView> {
    const path = `/wishlist/items/${productId}/move-to-cart`;
    const body = { sku_id: skuId, quantity };
    const answer = await this.#core.own<Cart>({ method: "POST", path, body });
    const items = answer.value.items.map((item) => ({ ...item, pending: false }));
    await this.get();
    return { ...answer.value, items, pending: 0, loaded: true };
  }

  /** Calls `listener` after every change of the wishlist as it is shown. */
  subscribe(listener: Listener<WishlistView>): Unsubscribe {
    return this.#changed.add(listener);
  }

  async #change(method: "POST" | "DELETE", path: string, body?: unknown): Promise<WishlistView> {
    await this.#core.own({ method, path, body });
    return this.get();
  }

  #take(wishlist: ServerWishlist): WishlistView {
    this.#view = { ...wishlist, pending: 0, loaded: true };
    this.#changed.tell(this.#view);
    return this.#view;
  }
}
