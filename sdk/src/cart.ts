// The customer's cart, as it is shown: the server's truth with the changes that are on their way.

import type { Core } from "./core.js";
import { EvercartError } from "./errors.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import type {
  Cart as ServerCart,
  CartView,
  LineDetails,
  MergeItem,
  MergeStrategy,
} from "./types.js";

const EMPTY: CartView = {
  id: 0,
  user_id: 0,
  version: 0,
  currency: "",
  items: [],
  total_items: 0,
  total_price: 0,
  notices: [],
  updated_at: null,
  pending: 0,
  loaded: false,
};

/** The cart. Lines are named by their SKU: a cart has at most one line of each. */
export class Cart {
  readonly #core: Core;
  readonly #changed = new Listeners<CartView>();
  #view: CartView = EMPTY;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /** The cart as this device knows it; the same object until that changes. */
  snapshot(): CartView {
    return this.#view;
  }

  /**
   * Reads the cart from the server. For guests, and while the server cannot be reached, it is what
   * this device knows.
   */
  async get(signal?: AbortSignal): Promise<CartView> {
    return this.#take(
      (await this.#core.own<ServerCart>({ method: "GET", path: "/cart", signal })).value,
    );
  }

  /**
   * Adds pieces of a SKU, on top of those there are. Resolves with the server's cart; or, if the server
   * cannot be reached now, with the cart as it will be, its `pending` above 0: the change is kept on this
   * device and sent later, once. Rejects if the server refuses it.
   */
  async add(skuId: number, quantity = 1, _details?: LineDetails): Promise<CartView> {
    return this.#change("POST", "/cart/items", { sku_id: skuId, quantity });
  }

  /** Sets how many pieces of a SKU are in the cart; 0 removes the line. */
  async setQuantity(skuId: number, quantity: number): Promise<CartView> {
    const line = this.#view.items.find((item) => item.sku_id === skuId);
    if (!line) throw new EvercartError("not_found", `SKU ${skuId} is not in the cart.`);
    return this.#change("PUT", `/cart/items/${line.id}`, { quantity });
  }

  /** Removes a SKU's line. */
  async remove(skuId: number): Promise<CartView> {
    return this.setQuantity(skuId, 0);
  }

  /** Empties the cart. */
  async clear(): Promise<CartView> {
    return this.#change("DELETE", "/cart");
  }

  /**
   * Takes lines over into the cart. A guest's cart is merged at sign-in without this call; it is for
   * lines that come from elsewhere. What could not be had is in the result's `skipped`.
   */
  async merge(items: readonly MergeItem[], strategy: MergeStrategy = "max"): Promise<CartView> {
    return this.#change("POST", "/cart/merge", { items, strategy });
  }

  /**
   * Calls `listener` after every change of the cart as it is shown: made here, in another tab, or on
   * another device. While anybody listens and somebody is signed in, the cart is kept up to date.
   */
  subscribe(listener: Listener<CartView>): Unsubscribe {
    return this.#changed.add(listener);
  }

  async #change(
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<CartView> {
    return this.#take((await this.#core.own<ServerCart>({ method, path, body })).value);
  }

  #take(cart: ServerCart): CartView {
    const items = cart.items.map((item) => ({ ...item, pending: false }));
    this.#view = { ...cart, items, pending: 0, loaded: true };
    this.#changed.tell(this.#view);
    return this.#view;
  }
}
