// Sends the changes of cart and wishlist: in order, each until the server has taken or refused it, and
// each with effect once. What is shown meanwhile is truth.ts's business.

import type { Core } from "./core.js";
import { isSessionEnd } from "./core.js";
import { EvercartError, isEvercartError, type ErrorCode } from "./errors.js";
import {
  ELSE_ANSWERED,
  KEY_LIFETIME_MS,
  mayHelpToRetry,
  newKey,
  sleep,
  waitMs,
  type Call,
} from "./http.js";
import type { Entry, FirstTry, Journal } from "./journal.js";
import { Listeners } from "./listeners.js";
import type { Message, Tabs } from "./tabs.js";
import type { Said, Truth } from "./truth.js";
import type { Cart, Change, LineDetails, MergeStrategy, Skipped, Wishlist } from "./types.js";
import { detailsOf, isOfCart, linesOf, wishlistView } from "./view.js";

/** A change that was shown and kept, and that the server has then refused. */
export interface Refusal {
  readonly change: Change;
  /** Why; undefined for a merge that was taken over in part. */
  readonly error?: EvercartError;
  /** With a merge: what was not taken over, or not wholly. */
  readonly skipped: readonly Skipped[];
}

interface Waiter {
  readonly resolve: (skipped: readonly Skipped[] | undefined) => void;
  readonly reject: (error: EvercartError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** How long a caller waits for the server's answer before it is told that the change is kept. */
const WAITER_PATIENCE_MS = 5000;
/** When somebody adds something soon after a failure, the network is not asked again at once. */
const FAILURE_REST_MS = 1000;
/** A tab that is told of another's change sends it, if that tab has not by then. */
const OTHERS_PATIENCE_MS = 5000;
/** How often a change is sent that the server fails on, before it is taken for refused. */
const INTERNAL_ERRORS_MAX = 20;

/** Sends what waits in the journal. */
export class Outbox {
  readonly refused = new Listeners<Refusal>();
  readonly #core: Core;
  readonly #journal: Journal;
  readonly #truth: Truth;
  readonly #tabs: Tabs;
  readonly #guestMerge: MergeStrategy;
  readonly #waiters = new Map<string, Waiter>();
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #failedAt = 0;
  /** Nothing is sent before this moment. */
  #notBefore = 0;
  /** True if it was the server that asked for the rest. */
  #wasAsked = false;
  #internalErrors = 0;
  /** True if the truth must be read again because something was refused. */
  #isStale = false;

  constructor(core: Core, journal: Journal, truth: Truth, tabs: Tabs, guestMerge: MergeStrategy) {
    this.#core = core;
    this.#journal = journal;
    this.#truth = truth;
    this.#tabs = tabs;
    this.#guestMerge = guestMerge;
  }

  /**
   * Keeps the change and sends it. Resolves when the server has taken it (with what a merge skipped), or
   * when it is known that it has to wait; rejects when it is refused. On a storage that is synchronous the
   * change is kept when this returns.
   */
  submit(change: Change): Promise<readonly Skipped[] | undefined> {
    const { ready } = this.#core;
    return ready ? ready.then(() => this.#submit(change)) : this.#submit(change);
  }

  async #submit(change: Change): Promise<readonly Skipped[] | undefined> {
    const key = newKey(this.#journal.newestKey);
    const written = this.#journal.put({ key, owner: this.#truth.owner, change });
    this.#truth.show();
    this.#tabs.tell({ about: "queue" });
    if (written) await written;
    if (this.#core.sessions.token === null || !this.#journal.get(key)) return undefined;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiters.delete(key);
        resolve(undefined);
      };
      this.#waiters.set(key, { resolve, reject, timer: setTimeout(giveUp, WAITER_PATIENCE_MS) });
      if (
        Date.now() < this.#notBefore &&
        (this.#wasAsked || Date.now() < this.#failedAt + FAILURE_REST_MS)
      ) {
        this.#release();
      } else {
        this.wake();
      }
    });
  }

  /** Sends what waits now, unless the server asked for a rest. */
  wake(): void {
    if (!this.#wasAsked) this.#notBefore = 0;
    this.#kick();
  }

  /** Sends what waits, for as long as `patienceMs` allows. Returns how many changes still wait. */
  async drained(patienceMs: number): Promise<number> {
    const until = Date.now() + patienceMs;
    await this.#core.ready;
    for (;;) {
      this.wake();
      await this.#running;
      const left = this.#truth.waiting();
      if (left === 0 || this.#core.sessions.token === null || this.#hasEnded()) return left;
      const wait = Math.max(1, this.#notBefore - Date.now());
      if (Date.now() + wait > until) return left;
      await sleep(wait);
    }
  }

  /** Reads cart and wishlist again, as far as anybody has read them before. */
  async refetch(): Promise<void> {
    await this.readCart();
    if (this.#truth.wishlistView.loaded) await this.readWishlist();
  }

  async readCart(signal?: AbortSignal): Promise<void> {
    const { owner, moment } = this.#truth;
    const value = await this.#core.own<Cart>({ path: "/cart", signal });
    if (owner !== null) this.#truth.read(owner, moment, { cart: checkedCart(value) });
  }

  async readWishlist(signal?: AbortSignal): Promise<void> {
    const { owner, moment } = this.#truth;
    const value = await this.#core.own<Wishlist>({ path: "/wishlist", signal });
    if (owner !== null) this.#truth.read(owner, moment, { wishlist: checkedWishlist(value) });
  }

  /** Hears what another tab has done. */
  hear(message: Message): void {
    if (message.about === "queue") {
      void this.#reload().then(() => {
        this.#truth.show();
      });
      this.#schedule(OTHERS_PATIENCE_MS);
    } else if (message.about === "settled") {
      const entry = this.#journal.get(message.key);
      if (entry) this.#journal.remove([entry.key]);
      const { said, error } = message;
      if (said) this.#truth.confirm(message.owner, said);
      else this.#truth.show();
      if (error && entry)
        this.#tellRefused(entry, new EvercartError(error.code as ErrorCode, error.message, error));
      else this.#answer(message.key, said?.cart?.skipped ?? []);
    } else if (message.about === "cart") {
      this.#truth.push(message.owner, message.cart);
    }
  }

  /** Forgets all that waits for this customer. */
  forget(owner: number): void {
    const theirs = this.#journal.list().filter((entry) => entry.owner === owner);
    this.#journal.remove(theirs.map((entry) => entry.key));
    this.#truth.show();
  }

  close(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#release();
  }

  #schedule(ms: number): void {
    if (this.#hasEnded()) return;
    this.#timer ??= setTimeout(() => {
      this.#kick();
    }, ms);
  }

  #kick(): void {
    if (this.#hasEnded()) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
    this.#running = this.#tabs
      .alone("send", () => this.#pass())
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.#kick();
      });
  }

  /** Sends one change after another until there is none, or one cannot be sent now. */
  async #pass(): Promise<void> {
    await this.#reload();
    while (!this.#hasEnded()) {
      const { owner } = this.#truth;
      if (owner === null || this.#core.sessions.token === null) break;
      this.#claim(owner);
      const entry = this.#journal.list().find((each) => each.owner === owner);
      if (!entry) break;
      if (Date.now() < this.#notBefore) {
        this.#schedule(this.#notBefore - Date.now());
        break;
      }
      try {
        const said = await this.#send(entry);
        this.#failures = this.#internalErrors = 0;
        this.#settle(entry, owner, said);
      } catch (error) {
        if (this.#hasEnded()) break;
        if (this.#failed(entry, owner, error)) break;
      }
    }
    this.#truth.keep();
    this.#release();
    if (this.#isStale && this.#core.sessions.token !== null) {
      this.#isStale = false;
      // What cannot be read now is read the next time.
      await this.refetch().catch(() => {
        this.#isStale = true;
      });
    }
  }

  /** Decides what a failure means. Returns true if nothing more can be sent now. */
  #failed(entry: Entry, owner: number, error: unknown): boolean {
    // The session is over, or was replaced while this was on its way: the next round sees which.
    if (isSessionEnd(error)) return false;
    if (!isEvercartError(error)) {
      const cause = new EvercartError("internal_error", "The change could not be sent.", {
        cause: error,
      });
      this.#refuse(entry, owner, cause);
      return false;
    }
    if (error.code === "internal_error") this.#internalErrors += 1;
    if (mayHelpToRetry(error) && this.#internalErrors < INTERNAL_ERRORS_MAX) {
      this.#failures += 1;
      this.#failedAt = Date.now();
      this.#wasAsked = error.retryAfterMs !== undefined;
      const wait = waitMs(error, this.#failures, this.#core.http.retry);
      this.#notBefore = Date.now() + wait;
      this.#schedule(wait);
      return true;
    }
    this.#internalErrors = 0;
    this.#refuse(entry, owner, error);
    return false;
  }

  /** Makes a guest's changes those of the customer who has signed in. */
  #claim(owner: number): void {
    const claimed = new Set(this.#journal.list().flatMap((entry) => entry.covers ?? []));
    const guests = this.#journal.list().filter((entry) => entry.owner === null);
    if (guests.length === 0) return;
    const rest = guests.filter((entry) => !claimed.has(entry.key));
    const changes = rest.map((entry) => entry.change);
    // First the wishes, which may be made twice without harm; then, in one write, the merge that stands
    // for all of the rest; and only then what it stands for goes.
    for (const wish of wishlistView(null, changes, true, true).items.reverse()) {
      const change = { kind: "wish", product_id: wish.product_id, product: wish.product } as const;
      void this.#journal.put({ key: newKey(this.#journal.newestKey), owner, change });
    }
    const items = linesOf(changes);
    if (items.length > 0) {
      const details = Object.assign({}, ...changes.map(detailsOf)) as Record<number, LineDetails>;
      void this.#journal.put({
        // The same for every tab that claims the same, so that they do it once.
        key: `${rest[0]?.key ?? ""}m${rest.length}`,
        owner,
        change: { kind: "merge", items, strategy: this.#guestMerge, details },
        covers: rest.map((entry) => entry.key),
      });
    }
    this.#journal.remove(guests.map((entry) => entry.key));
    this.#truth.show();
  }

  async #send(entry: Entry): Promise<Said> {
    const first = entry.first ?? (await this.#firstTry(entry.change));
    // Kept before it is sent: if no answer comes, that must be known tomorrow.
    if (!entry.first) await this.#journal.put({ ...entry, first });
    const { change } = entry;
    const call = callOf(change, first);
    if (!call) return {};
    const isForgotten = Date.now() - first.at > KEY_LIFETIME_MS && adds(change, first);
    const ifMatch = isForgotten ? `"${first.version ?? 0}-0"` : undefined;
    try {
      return saidOf(change, await this.#once({ ...call, key: entry.key, ifMatch }));
    } catch (error) {
      if (!isEvercartError(error)) throw error;
      const isGone = error.code === "not_found" && change.kind === "set" && Boolean(first.line);
      if (!isGone && !(isForgotten && error.code === "version_conflict")) throw error;
      const cart = await this.#currentCart();
      if (isForgotten && hasIt(change, first, cart)) return { cart };
      const next = this.#firstTryOf(change, cart);
      if (isGone && next.line === first.line) throw error;
      await this.#journal.put({ ...entry, first: next });
      return this.#send({ ...entry, first: next });
    }
  }

  async #firstTry(change: Change): Promise<FirstTry> {
    const needsCart = change.kind === "add" || change.kind === "set" || change.kind === "move";
    let cart = this.#truth.cart;
    const isNoLine =
      change.kind === "set" && !cart?.items.some((item) => item.sku_id === change.sku_id);
    if (needsCart && (!cart || isNoLine)) cart = await this.#currentCart();
    return this.#firstTryOf(change, cart);
  }

  #firstTryOf(change: Change, cart: Cart | null): FirstTry {
    const at = Date.now();
    if (!cart || !("sku_id" in change)) return { at, version: cart?.version ?? 0 };
    const line = cart.items.find((item) => item.sku_id === change.sku_id);
    return { at, version: cart.version, had: line?.quantity ?? 0, line: line?.id ?? 0 };
  }

  async #currentCart(): Promise<Cart> {
    return checkedCart(await this.#once({ path: "/cart" }));
  }

  /** A request in the customer's name, made once: what is done if it fails is decided here. */
  async #once<T>(call: Call): Promise<T> {
    const { signal } = this.#ended;
    const answer = await this.#core.withToken((token) =>
      this.#core.http.once<T>({ ...call, token, signal }),
    );
    return answer.value;
  }

  #settle(entry: Entry, owner: number, said: Said): void {
    this.#journal.remove([...(entry.covers ?? []), entry.key]);
    this.#truth.confirm(owner, said);
    this.#tabs.tell({ about: "settled", key: entry.key, owner, said });
    const skipped = said.cart?.skipped ?? [];
    const isAwaited = this.#answer(entry.key, skipped);
    if (!isAwaited && skipped.length > 0) this.refused.tell({ change: entry.change, skipped });
  }

  #refuse(entry: Entry, owner: number, error: EvercartError): void {
    this.#journal.remove([...(entry.covers ?? []), entry.key]);
    this.#isStale = true;
    this.#truth.show();
    const { code, message, status, requestId, facts } = error;
    this.#tabs.tell({
      about: "settled",
      key: entry.key,
      owner,
      error: { code, message, status, requestId, facts },
    });
    this.#tellRefused(entry, error);
  }

  #tellRefused(entry: Entry, error: EvercartError): void {
    const waiter = this.#waiters.get(entry.key);
    this.#waiters.delete(entry.key);
    clearTimeout(waiter?.timer);
    if (waiter) waiter.reject(error);
    else this.refused.tell({ change: entry.change, error, skipped: [] });
  }

  #answer(key: string, skipped: readonly Skipped[]): boolean {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    clearTimeout(waiter?.timer);
    waiter?.resolve(skipped);
    return waiter !== undefined;
  }

  /** Tells all that wait that their changes are kept. */
  #release(): void {
    for (const key of [...this.#waiters.keys()]) {
      const waiter = this.#waiters.get(key);
      this.#waiters.delete(key);
      clearTimeout(waiter?.timer);
      waiter?.resolve(undefined);
    }
  }

  #hasEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  async #reload(): Promise<void> {
    if (this.#tabs.areMany) await this.#journal.load();
  }
}

/** The request that makes the change; undefined if there is nothing to do. */
function callOf(change: Change, first: FirstTry): Call | undefined {
  switch (change.kind) {
    case "add":
      return { method: "POST", path: "/cart/items", body: piecesOf(change) };
    case "set":
      if (first.line) {
        return {
          method: "PUT",
          path: `/cart/items/${first.line}`,
          body: { quantity: change.quantity },
        };
      }
      return change.quantity === 0
        ? undefined
        : { method: "POST", path: "/cart/items", body: piecesOf(change) };
    case "clear":
      return { method: "DELETE", path: "/cart" };
    case "merge": {
      const { items, strategy } = change;
      return { method: "POST", path: "/cart/merge", body: { items, strategy } };
    }
    case "wish":
      return { method: "POST", path: "/wishlist/items", body: { product_id: change.product_id } };
    case "unwish":
      return { method: "DELETE", path: `/wishlist/items/${change.product_id}` };
    case "unwish_all":
      return { method: "DELETE", path: "/wishlist" };
    case "move": {
      const path = `/wishlist/items/${change.product_id}/move-to-cart`;
      return { method: "POST", path, body: piecesOf(change) };
    }
  }
}

function piecesOf({ sku_id, quantity }: { sku_id: number; quantity: number }): object {
  return { sku_id, quantity };
}

/** True if making the change twice would not be the same as making it once. */
function adds(change: Change, first: FirstTry): boolean {
  if (change.kind === "merge") return change.strategy === "sum";
  return change.kind === "add" || change.kind === "move" || (change.kind === "set" && !first.line);
}

/**
 * Whether a change that was sent, was not answered, and whose key the server has forgotten since, was
 * made: the cart has moved on, and now has at least what it would have with the change.
 */
function hasIt(change: Change, first: FirstTry, cart: Cart): boolean {
  if (!("sku_id" in change)) return true;
  const line = cart.items.find((item) => item.sku_id === change.sku_id);
  return (line?.quantity ?? 0) >= (first.had ?? 0) + change.quantity;
}

function saidOf(change: Change, value: unknown): Said {
  if (!isOfCart(change)) return { wishlist: checkedWishlist(value as Wishlist) };
  const cart = checkedCart(value as Cart);
  return change.kind === "move" ? { cart, unwished: change.product_id } : { cart };
}

// What a captive portal or a proxy says with 200 is no confirmation.

function checkedCart(cart: Cart): Cart {
  const { items, version } = (cart as Partial<Cart> | null) ?? {};
  if (Array.isArray(items) && typeof version === "number") return cart;
  throw new EvercartError("network", ELSE_ANSWERED);
}

function checkedWishlist(wishlist: Wishlist): Wishlist {
  if (Array.isArray((wishlist as Partial<Wishlist> | null)?.items)) return wishlist;
  throw new EvercartError("network", ELSE_ANSWERED);
}
