// The customer's cart, as it is shown: the server's truth with the changes that are on their way.

import type { Core } from "./core.js";
import { EvercartError, isEvercartError } from "./errors.js";
import type { Listener, Unsubscribe } from "./listeners.js";
import type { Live } from "./live.js";
import type { Outbox } from "./outbox.js";
import type { Products } from "./products.js";
import type { Seen } from "./seen.js";
import type { Truth } from "./truth.js";
import type { CartView, Change, LineDetails, MergeItem, MergeStrategy } from "./types.js";

/** The server's own limits. A guest meets them here, since the server is not asked. */
const QUANTITY_MAX = 999;
const LINES_MAX = 100;

/** The cart. Lines are named by their SKU: a cart has at most one line of each. */
export class Cart {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #truth: Truth;
  readonly #live: Live;
  readonly #seen: Seen;
  readonly #products: Products;

  /** @internal */
  constructor(
    core: Core,
    outbox: Outbox,
    truth: Truth,
    live: Live,
    seen: Seen,
    products: Products,
  ) {
    this.#core = core;
    this.#outbox = outbox;
    this.#truth = truth;
    this.#live = live;
    this.#seen = seen;
    this.#products = products;
  }

  /** The cart as this device knows it; the same object until that changes. */
  snapshot(): CartView {
    return this.#truth.cartView;
  }

  /**
   * Reads the cart from the server, after sending what waits. For customers whose token has expired, and
   * while the server cannot be reached, it is what this device knows; for guests, with names and prices as
   * the catalogue has them now.
   */
  async get(signal?: AbortSignal): Promise<CartView> {
    await this.#core.ready;
    if (this.#core.sessions.token === null) {
      await this.#renew(signal);
      return this.snapshot();
    }
    try {
      if (this.#truth.waiting() > 0) await this.#outbox.drained(0);
      await this.#outbox.readCart(signal);
    } catch (error) {
      const isAway = isEvercartError(error, "network") || isEvercartError(error, "timeout");
      if (!isAway || !this.snapshot().loaded) throw error;
    }
    return this.snapshot();
  }

  /**
   * Adds pieces of a SKU, on top of those there are. Resolves with the server's cart; or, if the server
   * cannot be reached now, with the cart as it will be, its `pending` above 0: the change is kept on this
   * device and sent later, once. Rejects if the server refuses it. `details` is what a new line shows
   * until the server has answered; products read with `products.get` are known without it.
   */
  add(skuId: number, quantity = 1, details?: LineDetails): Promise<CartView> {
    return this.#change({
      kind: "add",
      sku_id: skuId,
      quantity,
      details: this.#seen.line(skuId, details),
    });
  }

  /** Sets how many pieces of a SKU are in the cart; 0 removes the line. See `add`. */
  setQuantity(skuId: number, quantity: number): Promise<CartView> {
    return this.#change({ kind: "set", sku_id: skuId, quantity });
  }

  /** Removes a SKU's line. See `add`. */
  remove(skuId: number): Promise<CartView> {
    return this.setQuantity(skuId, 0);
  }

  /** Empties the cart. See `add`. */
  clear(): Promise<CartView> {
    return this.#change({ kind: "clear" });
  }

  /**
   * Takes lines over into the cart. A guest's cart is merged at sign-in without this call; it is for
   * lines that come from elsewhere. What could not be had is in the result's `skipped`.
   */
  merge(items: readonly MergeItem[], strategy: MergeStrategy = "max"): Promise<CartView> {
    return this.#change({ kind: "merge", items, strategy });
  }

  /**
   * Calls `listener` after every change of the cart as it is shown: made here, in another tab, or on
   * another device. While anybody listens and somebody is signed in, the cart is kept up to date.
   */
  subscribe(listener: Listener<CartView>): Unsubscribe {
    const remove = this.#truth.cartChanged.add(listener);
    this.#live.want(true);
    // A guest's lines were kept as they were when they were added. One look at the catalogue is for all.
    if (this.#truth.cartChanged.size === 1) void this.#renew().catch(() => undefined);
    return () => {
      remove();
      this.#live.want(this.#truth.cartChanged.size > 0);
    };
  }

  /** Reads the products of a guest's lines. */
  async #renew(signal?: AbortSignal): Promise<void> {
    await this.#core.ready;
    if (this.#core.sessions.current.status !== "guest") return;
    const { items } = this.snapshot();
    for (const id of new Set(items.map((line) => line.product_id))) {
      if (id === 0) continue;
      let offered: number[] = [];
      try {
        offered = (await this.#products.get(id, signal)).skus.map((sku) => sku.id);
      } catch (error) {
        // What cannot be asked now is shown as it was.
        if (!isEvercartError(error, "not_found")) return;
      }
      for (const line of items)
        if (line.product_id === id && !offered.includes(line.sku_id)) this.#seen.gone(line.sku_id);
    }
    this.#truth.show();
  }

  async #change(change: Change): Promise<CartView> {
    check(change);
    if (this.#core.sessions.current.status === "guest") this.#checkLimits(change);
    const skipped = await this.#outbox.submit(change);
    const view = this.snapshot();
    return skipped?.length ? { ...view, skipped: [...skipped] } : view;
  }

  #checkLimits(change: Change): void {
    if (change.kind !== "add" && change.kind !== "set") return;
    const { items } = this.snapshot();
    const line = items.find((item) => item.sku_id === change.sku_id);
    const had = change.kind === "add" ? (line?.quantity ?? 0) : 0;
    if (had + change.quantity > QUANTITY_MAX || (!line && items.length >= LINES_MAX)) {
      const limits = `${QUANTITY_MAX} pieces of one SKU and ${LINES_MAX} lines`;
      throw new EvercartError("quantity_limit", `A cart holds at most ${limits}.`, { status: 422 });
    }
  }
}

/** Refuses at once what the server could only refuse. */
export function check(change: Change): void {
  const numbers: [string, number, number][] = [];
  const item = (of: MergeItem, least: number) => {
    numbers.push(["sku_id", of.sku_id, 1], ["quantity", of.quantity, least]);
  };
  if (change.kind === "merge")
    change.items.forEach((of) => {
      item(of, 1);
    });
  else if ("sku_id" in change) item(change, change.kind === "set" ? 0 : 1);
  if ("product_id" in change) numbers.push(["product_id", change.product_id, 1]);
  for (const [field, value, least] of numbers) {
    const most = field === "quantity" ? QUANTITY_MAX : Number.MAX_SAFE_INTEGER;
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    const detail = `must be an integer from ${least} to ${most}, found ${value}`;
    throw new EvercartError("validation_failed", `${field} ${detail}`, {
      status: 422,
      errors: [{ field, detail }],
    });
  }
}
