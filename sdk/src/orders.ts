// What carts become, once.

import { isSessionEnd, nobody, type Core } from "./core.js";
import { EvercartError, isEvercartError } from "./errors.js";
import { KEY_LIFETIME_MS, mayHelpToRetry, momentOf, newKey } from "./http.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import type { Outbox } from "./outbox.js";
import type { Truth } from "./truth.js";
import type { Checkout, Order, OrderedItem, OrderPage, OrderStatus } from "./types.js";

/** Which orders. */
export interface OrderQuery {
  /** Only those with this status. */
  readonly status?: OrderStatus | undefined;
  /** 1 to 100; 20 if left out. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** A checkout that was sent and not answered. */
interface Attempt {
  readonly key: string;
  readonly owner: number | null;
  readonly body: string;
  /** The cart's, so that the next cart is not taken for this one; 0 for items. */
  readonly version: number;
}

/** Where an attempt at the cart is kept. */
const CART = "checkout";

/** The customer's orders. */
export class Orders {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #truth: Truth;
  readonly #changed = new Listeners<Order>();
  #running: { readonly body: string; readonly order: Promise<Order> } | undefined;

  /** @internal */
  constructor(core: Core, outbox: Outbox, truth: Truth) {
    this.#core = core;
    this.#outbox = outbox;
    this.#truth = truth;
  }

  /**
   * Orders the cart, at most once: pressed twice, retried, or called again after the page was closed in
   * the middle, it is the same order. Changes of the cart that still wait are sent before; if they cannot be,
   * it throws `offline` and orders nothing. With `expected_total` a price that has changed throws
   * `price_changed`.
   */
  checkout(checkout: Checkout): Promise<Order> {
    return this.#once(CART, JSON.stringify(checkout));
  }

  /**
   * Orders these items and leaves the cart alone; at most once, as `checkout` orders the cart. A SKU that is
   * named again adds to its pieces.
   */
  orderItems(items: readonly OrderedItem[], checkout: Checkout): Promise<Order> {
    return this.#once("items", JSON.stringify({ ...checkout, items, use_cart: false }));
  }

  /** What is pressed again while it runs is done once. */
  #once(name: string, body: string): Promise<Order> {
    if (this.#running?.body !== body) {
      const order = this.#order(name, body).finally(() => {
        if (this.#running?.order === order) this.#running = undefined;
      });
      this.#running = { body, order };
    }
    return this.#running.order;
  }

  async #order(name: string, body: string): Promise<Order> {
    const { shelf } = this.#core;
    const version = await this.#version(name);
    const { owner } = this.#truth;
    const kept = this.#recent(await shelf.get(name), owner);
    // With the key of an attempt at the same, if it has had no answer yet.
    const isKept = kept?.body === body && kept.version === version;
    const own = isKept ? kept : { key: newKey(), owner, body, version };
    await shelf.set(name, JSON.stringify(own));
    let order: Order;
    try {
      order = await this.#place(own);
    } catch (error) {
      if (isSessionEnd(error) || !isEvercartError(error) || mayHelpToRetry(error)) throw error;
      // The cart is empty: was it an earlier attempt, whose answer did not come, that ordered it? Sent now, it
      // orders nothing, and can only tell of the order there is.
      const isEarlier = kept && !isKept && error.code === "cart_empty";
      const found = isEarlier && (await this.#place(kept).catch(() => undefined));
      if (!found) {
        await shelf.remove(name);
        throw error;
      }
      order = found;
    }
    await shelf.remove(name);
    // The cart is empty now, or less is left for it; if that cannot be read, it is next time.
    await this.#outbox.readCart().catch(() => undefined);
    this.#changed.tell(order);
    return order;
  }

  /** The version of the cart that is to be ordered, which the server knows then; 0 for items. */
  async #version(name: string): Promise<number> {
    await this.#core.ready;
    if (this.#core.sessions.token === null) throw nobody();
    if (name !== CART) return 0;
    if ((await this.#outbox.drained(this.#core.http.retry.patienceMs)) > 0) {
      throw new EvercartError(
        "offline",
        "Changes of the cart could not be sent yet; nothing was ordered.",
      );
    }
    return this.#truth.cart?.version ?? 0;
  }

  #recent(text: string | null, owner: number | null): Attempt | undefined {
    try {
      const kept = JSON.parse(text ?? "null") as Attempt | null;
      const isRecent = kept?.owner === owner && momentOf(kept.key) > Date.now() - KEY_LIFETIME_MS;
      return isRecent ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  async #place({ body, key }: Attempt): Promise<Order> {
    const form = JSON.parse(body) as Checkout;
    return this.#core.own({ method: "POST", path: "/orders", body: form, key });
  }

  /** Some orders, the newest first. */
  async list(query: OrderQuery = {}, signal?: AbortSignal): Promise<OrderPage> {
    const { status, limit, offset } = query;
    return this.#core.own({
      path: "/profile/orders",
      query: { status_filter: status, limit, offset },
      signal,
    });
  }

  /** One order. */
  async get(id: number, signal?: AbortSignal): Promise<Order> {
    const answer = await this.#core.own({
      path: `/profile/orders/${id}`,
      signal,
    });
    return answer.order;
  }

  /** Calls an order off, while it is `pending` or `confirmed`, and returns it as it is then. */
  async cancel(id: number): Promise<Order> {
    await this.#core.own({ method: "POST", path: `/profile/orders/${id}/cancel` });
    const order = await this.get(id);
    this.#changed.tell(order);
    return order;
  }

  /** Calls `listener` after an order was placed or called off on this device. */
  onChange(listener: Listener<Order>): Unsubscribe {
    return this.#changed.add(listener);
  }
}
