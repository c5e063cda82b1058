// What carts become, once.

import { isSessionEnd, nobody, type Core } from "./core.js";
import { EvercartError, isEvercartError } from "./errors.js";
import { KEY_LIFETIME_MS, mayHelpToRetry, momentOf, newKey } from "./http.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import type { Outbox } from "./outbox.js";
import type { Truth } from "./truth.js";
import type { Checkout, Order, OrderPage } from "./types.js";

/** Which orders. */
export interface OrderQuery {
  /** Only those with this status. */
  readonly status?: string | undefined;
  /** 1 to 100; 20 if left out. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** A checkout that was sent and not answered. */
interface Attempt {
  readonly key: string;
  readonly owner: number | null;
  readonly body: string;
  /** The cart's, so that the next cart is not taken for this one. */
  readonly version: number;
}

const NAME = "checkout";

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
    const body = JSON.stringify(checkout);
    if (this.#running?.body !== body) {
      const order = this.#checkout(checkout, body).finally(() => {
        if (this.#running?.order === order) this.#running = undefined;
      });
      this.#running = { body, order };
    }
    return this.#running.order;
  }

  async #checkout(checkout: Checkout, body: string): Promise<Order> {
    const { own, kept } = await this.#attempt(body);
    await this.#core.shelf.set(NAME, JSON.stringify(own));
    let order: Order;
    try {
      order = await this.#place(checkout, own.key);
    } catch (error) {
      if (isSessionEnd(error) || !isEvercartError(error) || mayHelpToRetry(error)) throw error;
      // The cart is empty: was it an earlier attempt, whose answer did not come, that ordered it?
      const earlier = error.code === "cart_empty" ? kept : undefined;
      const found = earlier && (await this.#earlier(earlier));
      if (!found) {
        await this.#core.shelf.remove(NAME);
        throw error;
      }
      order = found;
    }
    await this.#core.shelf.remove(NAME);
    // The cart is empty now; if that cannot be read, it is next time.
    await this.#outbox.readCart().catch(() => undefined);
    this.#changed.tell(order);
    return order;
  }

  /** What is sent with which key: that of an attempt at the same, if it has had no answer yet. */
  async #attempt(body: string): Promise<{ own: Attempt; kept: Attempt | undefined }> {
    await this.#core.ready;
    if (this.#core.sessions.token === null) throw nobody();
    if ((await this.#outbox.drained(this.#core.http.retry.patienceMs)) > 0) {
      throw new EvercartError(
        "offline",
        "Changes of the cart could not be sent yet; nothing was ordered.",
      );
    }
    const { owner, cart } = this.#truth;
    const kept = this.#recent(await this.#core.shelf.get(NAME), owner);
    const version = cart?.version ?? 0;
    if (kept?.body === body && kept.version === version) return { own: kept, kept: undefined };
    return { own: { key: newKey(), owner, body, version }, kept };
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

  /** The cart is empty, so that this places no order: it can only be told of the one there is. */
  async #earlier(attempt: Attempt): Promise<Order | undefined> {
    try {
      return await this.#place(JSON.parse(attempt.body) as Checkout, attempt.key);
    } catch {
      return undefined;
    }
  }

  async #place(checkout: Checkout, key: string): Promise<Order> {
    const call = { method: "POST", path: "/orders", body: checkout, key } as const;
    return this.#core.own(call);
  }

  /** Some orders, the newest first. */
  async list(query: OrderQuery = {}, signal?: AbortSignal): Promise<OrderPage> {
    const { status, limit, offset } = query;
    return this.#core.own({
      method: "GET",
      path: "/profile/orders",
      query: { status_filter: status, limit, offset },
      signal,
    });
  }

  /** One order. */
  async get(id: number, signal?: AbortSignal): Promise<Order> {
    const answer = await this.#core.own<{ order: Order }>({
      method: "GET",
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
