// Puts a client together.

import { Addresses } from "./addresses.js";
import { Auth } from "./auth.js";
import { Cart } from "./cart.js";
import { Core } from "./core.js";
import type { EvercartError } from "./errors.js";
import { Http, RETRY, type Fetch, type RetryOptions } from "./http.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import { Orders } from "./orders.js";
import { Products } from "./products.js";
import { Sessions, type SignedOut } from "./session.js";
import { Shelf } from "./shelf.js";
import { defaultStorage, type Storage } from "./storage.js";
import type { Change, MergeStrategy, Skipped } from "./types.js";
import { Wishlist } from "./wishlist.js";

/** What a client needs to know. */
export interface ClientOptions {
  /** Where the shop is, such as `https://shop.example`; empty for the page's own server. */
  readonly url: string;
  /** The market, such as `us` or `kg`: a shop of its own, with its own session and cart. */
  readonly market?: string;
  /** Where to keep what must outlive the page. Default: localStorage in a page, else memory. */
  readonly storage?: Storage;
  /** Instead of the platform's `fetch`. */
  readonly fetch?: Fetch;
  /** Before the names of all that is kept. Default `evercart`. */
  readonly storagePrefix?: string;
  /** Called once when the session ends without `logout`: expired, or ended elsewhere. */
  readonly onSignedOut?: Listener<SignedOut>;
  /** Called when the server has refused a change that nobody waits for any more; see `onRefused`. */
  readonly onRefused?: Listener<Refusal>;
  /** Called when the device's storage fails. The client goes on with what it has in memory. */
  readonly onStorageError?: Listener<unknown>;
  /** How a guest's cart is merged at sign-in. Default `max`, which never doubles. */
  readonly guestMerge?: MergeStrategy;
  /** How the cart is kept up to date while somebody listens. Default `auto`: a stream, or polling. */
  readonly live?: "auto" | "stream" | "poll" | "off";
  /** How often to poll where there is no stream. Default 10 s. */
  readonly pollMs?: number;
  /** When and how often something is tried again. */
  readonly retry?: Partial<RetryOptions>;
}

/** A change that was shown and kept, and that the server has then refused. */
export interface Refusal {
  readonly change: Change;
  /** Why; undefined for a merge that was taken over in part. */
  readonly error?: EvercartError;
  /** With a merge: what was not taken over, or not wholly. */
  readonly skipped: readonly Skipped[];
}

/** A shop, as one customer or guest on this device sees it. */
export class Client {
  readonly auth: Auth;
  readonly cart: Cart;
  readonly wishlist: Wishlist;
  readonly orders: Orders;
  readonly addresses: Addresses;
  readonly products: Products;
  readonly #core: Core;
  readonly #refused = new Listeners<Refusal>();

  /** @internal */
  constructor(options: ClientOptions) {
    const prefix = `${options.storagePrefix ?? "evercart"}:${options.market ?? ""}:`;
    const shelf = new Shelf(options.storage ?? defaultStorage(), prefix, (error) =>
      options.onStorageError?.(error),
    );
    const http = new Http(options.url, options.market, options.fetch, {
      ...RETRY,
      ...options.retry,
    });
    this.#core = new Core(http, new Sessions(shelf), shelf);
    this.auth = new Auth(this.#core);
    this.cart = new Cart(this.#core);
    this.wishlist = new Wishlist(this.#core);
    this.orders = new Orders(this.#core);
    this.addresses = new Addresses(this.#core);
    this.products = new Products(this.#core);
    if (options.onSignedOut) this.onSignedOut(options.onSignedOut);
    if (options.onRefused) this.onRefused(options.onRefused);
    this.#core.ready = this.#core.sessions.load();
  }

  /** Calls `listener` once each time a session ends without `logout` on this device. */
  onSignedOut(listener: Listener<SignedOut>): Unsubscribe {
    return this.#core.sessions.signedOut.add(listener);
  }

  /**
   * Calls `listener` when the server has refused a change whose call had already resolved with a pending
   * cart, or has taken a guest's cart over only in part. The cart is then shown without it.
   */
  onRefused(listener: Listener<Refusal>): Unsubscribe {
    return this.#refused.add(listener);
  }

  /** How many changes of this customer wait to be sent. */
  get pending(): number {
    return this.cart.snapshot().pending;
  }

  /**
   * Sends what waits now, without waiting out the back-off; call it when the platform says that the
   * network is back (in browsers that is done already). Resolves with the number of changes that still wait.
   */
  async sync(): Promise<number> {
    await this.#core.ready;
    return this.pending;
  }

  /** Ends streams, timers and listeners. What is kept in storage stays. */
  close(): void {
    // Nothing runs yet.
  }
}

/** A client for one shop and market. Make one for each page or app, not one for each call. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}
