// What carts become, once.

import type { Core } from "./core.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import type { Checkout, Order, OrderPage } from "./types.js";

/** Which orders. */
export interface OrderQuery {
  /** Only those with this status. */
  readonly status?: string | undefined;
  /** 1 to 100; 20 if left out. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** The customer's orders. */
export class Orders {
  readonly #core: Core;
  readonly #changed = new Listeners<Order | null>();

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Orders the cart, at most once: pressed twice, retried, or called again after the page was closed in
   * the middle, it is the same order. Changes of the cart that still wait are sent before; if they cannot be,
   * it throws `offline` and orders nothing. With `expected_total` a price that has changed throws
   * `price_changed`.
   */
  async checkout(checkout: Checkout): Promise<Order> {
    const order = (await this.#core.own<Order>({ method: "POST", path: "/orders", body: checkout }))
      .value;
    this.#changed.tell(order);
    return order;
  }

  /** Some orders, the newest first. */
  async list(query: OrderQuery = {}, signal?: AbortSignal): Promise<OrderPage> {
    const { status, limit, offset } = query;
    const answer = await this.#core.own<OrderPage>({
      method: "GET",
      path: "/profile/orders",
      query: { status_filter: status, limit, offset },
      signal,
    });
    return answer.value;
  }

  /** One order. */
  async get(id: number, signal?: AbortSignal): Promise<Order> {
    const answer = await this.#core.own<{ order: Order }>({
      method: "GET",
      path: `/profile/orders/${id}`,
      signal,
    });
    return answer.value.order;
  }

  /** Calls an order off, while it is `pending` or `confirmed`, and returns it as it is then. */
  async cancel(id: number): Promise<Order> {
    await this.#core.own({ method: "POST", path: `/profile/orders/${id}/cancel` });
    const order = await this.get(id);
    this.#changed.tell(order);
    return order;
  }

  /** Calls `listener` after an order was placed or called off on this device. */
  onChange(listener: Listener<Order | null>): Unsubscribe {
    return this.#changed.add(listener);
  }
}
