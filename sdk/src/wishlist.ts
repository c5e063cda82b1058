// The customer's wishlist, as it is shown: the server's truth with the changes that are on their way.

import { check } from "./cart.js";
import type { Core } from "./core.js";
import { isEvercartError } from "./errors.js";
import { sleep } from "./http.js";
import type { Listener, Unsubscribe } from "./listeners.js";
import type { Outbox } from "./outbox.js";
import type { Seen } from "./seen.js";
import type { Truth } from "./truth.js";
import type { CartView, Change, LineDetails, WishedProduct, WishlistView } from "./types.js";

/** The wishlist. A product is on it at most once. A guest's becomes the customer's at sign-in. */
export class Wishlist {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #truth: Truth;
  readonly #seen: Seen;
  /** The token with which it was read for its listeners. */
  #readWith: string | null = null;

  /** @internal */
  constructor(core: Core, outbox: Outbox, truth: Truth, seen: Seen) {
    this.#core = core;
    this.#outbox = outbox;
    this.#truth = truth;
    this.#seen = seen;
  }

  /** The wishlist as this device knows it; the same object until that changes. */
  snapshot(): WishlistView {
    return this.#truth.wishlistView;
  }

  /** Reads the wishlist from the server; see `cart.get`. */
  async get(signal?: AbortSignal): Promise<WishlistView> {
    await this.#core.ready;
    if (this.#core.sessions.token === null) return this.snapshot();
    try {
      if (this.#truth.waiting() > 0) await this.#outbox.drained(0);
      await this.#outbox.readWishlist(signal);
    } catch (error) {
      const isAway = isEvercartError(error, "network") || isEvercartError(error, "timeout");
      if (!isAway || !this.snapshot().loaded) throw error;
    }
    return this.snapshot();
  }

  /** Puts a product on it; see `cart.add`. `product` is what is shown of it until the server has answered. */
  add(productId: number, product?: Partial<WishedProduct>): Promise<WishlistView> {
    return this.#change({
      kind: "wish",
      product_id: productId,
      product: this.#seen.wish(productId, product),
    });
  }

  /** Takes a product off; see `cart.add`. */
  remove(productId: number): Promise<WishlistView> {
    return this.#change({ kind: "unwish", product_id: productId });
  }

  /** Takes everything off; see `cart.add`. */
  clear(): Promise<WishlistView> {
    return this.#change({ kind: "unwish_all" });
  }

  /**
   * Puts a SKU of the product into the cart and takes the product off the wishlist: both or neither. See
   * `cart.add`.
   */
  async moveToCart(
    productId: number,
    skuId: number,
    quantity = 1,
    details?: LineDetails,
  ): Promise<CartView> {
    await this.#change({
      kind: "move",
      product_id: productId,
      sku_id: skuId,
      quantity,
      details: this.#seen.line(skuId, details),
    });
    return this.#truth.cartView;
  }

  /**
   * Calls `listener` after every change of the wishlist as it is shown, in this tab or another. It is read
   * when the first listener comes and when somebody signs in; other devices' changes are seen with `get`.
   */
  subscribe(listener: Listener<WishlistView>): Unsubscribe {
    const remove = this.#truth.wishlistChanged.add(listener);
    this.follow();
    return remove;
  }

  /** @internal To be called when the session has changed. */
  follow(): void {
    const { token } = this.#core.sessions;
    if (token === this.#readWith || this.#truth.wishlistChanged.size === 0) return;
    this.#readWith = token;
    if (token === null) return;
    this.#outbox
      .readWishlist()
      .catch(async () => {
        // Somebody looks at it: read it again a little later.
        await sleep(this.#core.http.retry.baseMs * 10, this.#core.ended.signal);
        if (this.#readWith !== token) return;
        this.#readWith = null;
        this.follow();
      })
      // The client was closed.
      .catch(() => undefined);
  }

  async #change(change: Change): Promise<WishlistView> {
    check(change);
    await this.#outbox.submit(change);
    return this.snapshot();
  }
}
