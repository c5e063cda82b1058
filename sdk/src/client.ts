// Puts a client together.

import { Addresses as AddressesApi } from "./addresses.js";
import { Auth } from "./auth.js";
import { Cart as CartApi } from "./cart.js";
import { Core } from "./core.js";
import { Http, sleep, type HttpOptions } from "./http.js";
import { EACH, Journal, parsed } from "./journal.js";
import type { Listener, Unsubscribe } from "./listeners.js";
import { Live, type LiveMode } from "./live.js";
import { Orders as OrdersApi } from "./orders.js";
import { Outbox, type Refusal } from "./outbox.js";
import { Products as ProductsApi } from "./products.js";
import { Seen } from "./seen.js";
import { keptOf, Sessions, type SignedOut } from "./session.js";
import { after, isThenable, Shelf } from "./shelf.js";
import { defaultStorage, type MaybePromise, type Storage } from "./storage.js";
import { Tabs, isShared, onWake } from "./tabs.js";
import { Truth } from "./truth.js";
import type { MergeStrategy } from "./types.js";
import { Wishlist as WishlistApi } from "./wishlist.js";

/** How long a call waits for a storage that cannot be read. */
const READY_PATIENCE_MS = 2000;
/** How often a text that makes no sense is read again before it is taken for what is there. */
const NONSENSE_MAX = 5;

/** What a client needs to know. */
export interface ClientOptions extends HttpOptions {
  /** Where to keep what must outlive the page. Default: localStorage in a page, else memory. */
  readonly storage?: Storage;
  /**
   * Whether other pages of the browser use the same storage, so that they have to agree on who sends
   * what. Default: true for localStorage. Say true for one on top of IndexedDB.
   */
  readonly sharedStorage?: boolean;
  /** Before the names of all that is kept. Default `evercart`. */
  readonly storagePrefix?: string;
  /** Called once when the session ends without `logout`: expired, or ended elsewhere. */
  readonly onSignedOut?: Listener<SignedOut>;
  /** Called when the server has refused a change that nobody waits for any more; see `onRefused`. */
  readonly onRefused?: Listener<Refusal>;
  /**
   * Called when the device's storage fails, or is used by two clients of this page. The client goes on with
   * what it has in memory, and reads again. Default: `console.warn`, once.
   */
  readonly onStorageError?: Listener<unknown>;
  /** How a guest's cart is merged at sign-in. Default `max`, which never doubles. */
  readonly guestMerge?: MergeStrategy;
  /** How the cart is kept up to date while somebody listens. Default `auto`: a stream, or polling. */
  readonly live?: LiveMode;
  /** How often to poll where there is no stream. Default 10 s. */
  readonly pollMs?: number;
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
    if (typeof options.url !== "string")
      throw new TypeError(
        `createClient needs a url, such as "https://shop.example", or "" for the page's own server; found ${typeof options.url}. Is its variable set where the page is built?`,
      );
    const storage = options.storage ?? defaultStorage();
    const prefix = `${options.storagePrefix ?? "evercart"}:${options.market ?? ""}:`;
    const areMany = options.sharedStorage ?? isShared(storage);
    const onStorageError = options.onStorageError ?? warnOnce();
    this.#endings.push(alone(storage, prefix, areMany, onStorageError));
    const shelf = new Shelf(storage, prefix, onStorageError);
    const core = new Core(new Http(options), new Sessions(shelf), shelf);
    const tabs = new Tabs(prefix, storage, areMany);
    const journal = new Journal(shelf, tabs);
    const truth = new Truth(core, journal);
    const outbox = new Outbox(core, journal, truth, tabs, options.guestMerge ?? "max");
    const { live: mode = "auto", pollMs = 10_000 } = options;
    const isOwnFetch = options.fetch !== undefined;
    const live = new Live(core, truth, tabs, { mode, pollMs, isOwnFetch }, () => outbox.readCart());
    const seen = new Seen();
    truth.known = (skuId) => seen.sku(skuId);
    this.auth = new Auth(core, outbox);
    this.products = new ProductsApi(core, seen);
    this.cart = new CartApi(core, outbox, truth, live, seen, this.products);
    this.wishlist = new WishlistApi(core, outbox, truth, seen);
    this.orders = new OrdersApi(core, outbox, truth);
    this.addresses = new AddressesApi(core);
    this.#core = core;
    this.#outbox = outbox;
    this.#truth = truth;
    this.#tabs = tabs;
    this.#live = live;
    for (const part of [
      this,
      this.auth,
      this.cart,
      this.wishlist,
      this.orders,
      this.addresses,
      this.products,
    ])
      bind(part);
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
        this.#core.shelf.retry();
        this.#outbox.wake();
      }),
    );
    sessions.onOwnChange = (kept) => {
      this.#tabs.tell({ about: "session", kept });
    };
    this.#tabs.listen(
      (message) => {
        if (message.about === "session") sessions.hear(message.kept);
        else this.#outbox.hear(message);
      },
      (name, text) => {
        if (name === "session") {
          const kept = keptOf(text ?? "");
          if (kept) sessions.hear(kept);
          else if (text === null) sessions.hearNothing();
        } else if (name.startsWith(EACH)) this.#outbox.take(parsed(text).known);
      },
    );
    const loading = this.#load(journal);
    if (!loading) return;
    // Who waits for a storage that does not answer goes on without; what it says is taken when it does.
    const patience = sleep(READY_PATIENCE_MS, this.#core.ended.signal).catch(() => undefined);
    this.#core.ready = Promise.race([loading, patience]).then(() => {
      this.#core.ready = undefined;
    });
  }

  /** Reads what storage has, again and again until it says. At once where it answers at once. */
  #load(journal: Journal): MaybePromise<void> {
    const again = () => this.#readAgain(journal);
    try {
      const read = after(this.#read(journal, false), (isAll) => {
        if (!isAll) void again();
      });
      return isThenable(read) ? read.catch(again) : undefined;
    } catch {
      return again();
    }
  }

  async #readAgain(journal: Journal): Promise<void> {
    for (let failures = 0; !this.#core.ended.signal.aborted; failures += 1) {
      try {
        await sleep(Math.min(10_000, 50 * 2 ** failures), this.#core.ended.signal);
        if (await this.#read(journal, failures >= NONSENSE_MAX)) return;
      } catch {
        // Told already.
      }
    }
  }

  /** Throws if the session could not be read. The result is false if a change could not. */
  #read(journal: Journal, givenUp: boolean): MaybePromise<boolean> {
    let isAll = true;
    const failed = () => {
      isAll = false;
    };
    let queue: MaybePromise<void> = undefined;
    try {
      queue = journal.load(givenUp);
    } catch {
      failed();
    }
    const ofQueue = isThenable(queue) ? queue.then(undefined, failed) : undefined;
    const ofSession = after(ofQueue, () => this.#core.sessions.load(givenUp));
    const both = after(ofSession, () => this.#truth.loading);
    return after(both, () => {
      this.#truth.show();
      this.#outbox.wake();
      return isAll;
    });
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
    this.#live.wake();
    return this.#outbox.drained(patienceMs);
  }

  /** Ends streams, timers and listeners. What is kept in storage stays. */
  close(): void {
    this.#core.ended.abort();
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

/** Lets methods be taken out of their object. */
function bind(of: object): void {
  const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(of) as object);
  for (const [name, { value }] of Object.entries(own))
    if (typeof value === "function" && name !== "constructor")
      Object.defineProperty(of, name, { value: (value as () => unknown).bind(of) });
}

/** Says it once, where the app wants to hear nothing of it. */
function warnOnce(): Listener<unknown> {
  let isSaid = false;
  return (error) => {
    // eslint-disable-next-line no-console -- nobody else would hear of it
    if (!isSaid) console.warn(`evercart: the device's storage failed: ${String(error)}`);
    isSaid = true;
  };
}

/** Which names of which storage a client of this page uses. */
const used = new WeakMap<Storage, Set<string>>();

/** Notes that a client uses the names, and warns of a second one that does not know of the first. */
function alone(
  storage: Storage,
  prefix: string,
  areMany: boolean,
  warn: Listener<unknown>,
): Unsubscribe {
  const names = used.get(storage) ?? new Set();
  used.set(storage, names);
  if (names.has(prefix) && !areMany)
    warn(new Error("Two clients use it: make one, and share that."));
  names.add(prefix);
  return () => {
    names.delete(prefix);
  };
}
