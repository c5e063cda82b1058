// Puts a client together.

import { Addresses as AddressesApi } from "./addresses.js";
import { Auth } from "./auth.js";
import { Cart as CartApi } from "./cart.js";
import { Core } from "./core.js";
import { Http, RETRY, type Fetch, type RetryOptions } from "./http.js";
import { Journal } from "./journal.js";
import type { Listener, Unsubscribe } from "./listeners.js";
import { Live, type LiveMode } from "./live.js";
import { Orders as OrdersApi } from "./orders.js";
import { Outbox, type Refusal } from "./outbox.js";
import { Products as ProductsApi } from "./products.js";
import { Seen } from "./seen.js";
import { Sessions, type SignedOut } from "./session.js";
import { Shelf } from "./shelf.js";
import { defaultStorage, type Storage } from "./storage.js";
import { Tabs, isShared, onWake } from "./tabs.js";
import { Truth } from "./truth.js";
import type { MergeStrategy } from "./types.js";
import { Wishlist as WishlistApi } from "./wishlist.js";

/** What a client needs to know. */
export interface ClientOptions {
  /** Where the shop is, such as `https://shop.example`; empty for the page's own server. */
  readonly url: string;
  /** The market, such as `us` or `kg`: a shop of its own, with its own session and cart. */
  readonly market?: string;
  /** Where to keep what must outlive the page. Default: localStorage in a page, else memory. */
  readonly storage?: Storage;
  /**
   * Whether other pages of the browser use the same storage, so that they have to agree on who sends
   * what. Default: true for localStorage. Say true for one on top of IndexedDB.
   */
  readonly sharedStorage?: boolean;
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
  readonly live?: LiveMode;
  /** How often to poll where there is no stream. Default 10 s. */
  readonly pollMs?: number;
  /** When and how often something is tried again. */
  readonly retry?: Partial<RetryOptions>;
}

/** A shop, as one customer or guest on this device sees it. */
export class Client {
  readonly auth: Auth;
  readonly cart: CartApi;
  readonly wishlist: WishlistApi;
  readonly orders: OrdersApi;
  readonly addresses: AddressesApi;
  readonly products: ProductsApi;
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #truth: Truth;
  readonly #tabs: Tabs;
  readonly #live: Live;
  readonly #endings: Unsubscribe[] = [];

  /** @internal */
  constructor(options: ClientOptions) {
    const storage = options.storage ?? defaultStorage();
    const prefix = `${options.storagePrefix ?? "evercart"}:${options.market ?? ""}:`;
    const shelf = new Shelf(storage, prefix, (error) => options.onStorageError?.(error));
    const http = new Http(options.url, options.market, options.fetch, {
      ...RETRY,
      ...options.retry,
    });
    const core = new Core(http, new Sessions(shelf), shelf);
    const tabs = new Tabs(prefix, options.sharedStorage ?? isShared(storage));
    const journal = new Journal(shelf, tabs);
    const truth = new Truth(core, journal);
    const outbox = new Outbox(core, journal, truth, tabs, options.guestMerge ?? "max");
    const { live: mode = "auto", pollMs = 10_000 } = options;
    const isOwnFetch = options.fetch !== undefined;
    const live = new Live(core, truth, tabs, { mode, pollMs, isOwnFetch }, () => outbox.readCart());
    const seen = new Seen();
    this.auth = new Auth(core, outbox);
    this.cart = new CartApi(core, outbox, truth, live, seen);
    this.wishlist = new WishlistApi(core, outbox, truth, seen);
    this.orders = new OrdersApi(core, outbox, truth);
    this.addresses = new AddressesApi(core);
    this.products = new ProductsApi(core, seen);
    this.#core = core;
    this.#outbox = outbox;
    this.#truth = truth;
    this.#tabs = tabs;
    this.#live = live;
    if (options.onSignedOut) this.onSignedOut(options.onSignedOut);
    if (options.onRefused) this.onRefused(options.onRefused);
    this.#start(journal);
  }

  #start(journal: Journal): void {
    const { sessions } = this.#core;
    // First the parts of the client itself, so that listeners find it as it will be.
    this.#endings.push(
      sessions.changed.add(() => {
        this.#truth.follow();
        this.#live.follow();
        this.wishlist.follow();
        this.#outbox.wake();
      }),
      onWake(() => {
        this.#live.wake();
        this.#outbox.wake();
      }),
    );
    sessions.onOwnChange = (ended) => {
      this.#tabs.tell({ about: "session", ...(ended && { ended }) });
    };
    this.#tabs.listen((message) => {
      if (message.about === "session") void this.#hearSession(message.ended);
      else this.#outbox.hear(message);
    });
    const queue = journal.load();
    const session = queue ? queue.then(() => sessions.load()) : sessions.load();
    this.#core.ready = session
      ?.then(() => this.#truth.loading)
      .then(() => {
        this.#core.ready = undefined;
      });
  }

  async #hearSession(ended: SignedOut | undefined): Promise<void> {
    const { sessions } = this.#core;
    const { token } = sessions;
    await sessions.load();
    if (ended && token !== null && sessions.token === null) sessions.signedOut.tell(ended);
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
    return this.#outbox.refused.add(listener);
  }

  /** How many changes of this customer wait to be sent. */
  get pending(): number {
    return this.#truth.waiting();
  }

  /**
   * Sends what waits now, without waiting out the back-off; call it when the platform says that the
   * network is back (in browsers that is done already). Resolves with the number of changes that still
   * wait, at the latest after `patienceMs` (default 0: after one try).
   */
  async sync(patienceMs = 0): Promise<number> {
    return this.#outbox.drained(patienceMs);
  }

  /** Ends streams, timers and listeners. What is kept in storage stays. */
  close(): void {
    this.#endings.forEach((end) => {
      end();
    });
    this.#live.close();
    this.#outbox.close();
    this.#tabs.close();
  }
}

/** A client for one shop and market. Make one for each page or app, not one for each call. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}
