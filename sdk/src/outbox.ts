// Sends the changes of cart and wishlist: in order, each until the server has taken or refused it, and
// each with effect once. What is shown meanwhile is truth.ts's business.

import { claim } from "./claim.js";
import type { Core } from "./core.js";
import { isSessionEnd } from "./core.js";
import { EvercartError, isEvercartError, type ErrorCode } from "./errors.js";
import { KEY_LIFETIME_MS, mayHelpToRetry, newKey, sleep, waitMs, type Call } from "./http.js";
import { isSettled } from "./journal.js";
import type { Entry, FirstTry, Journal, Known, Settled } from "./journal.js";
import { Listeners } from "./listeners.js";
import { isThenable } from "./shelf.js";
import type { Message, Tabs } from "./tabs.js";
import type { Said, Truth } from "./truth.js";
import type { Cart, Change, MergeStrategy, Skipped } from "./types.js";
import { unkept, Waiters } from "./waiters.js";
import { adds, callOf, checkedCart, checkedWishlist, saidOf } from "./wire.js";

/** A change that was shown and kept, and that the server has then refused. */
export interface Refusal {
  readonly change: Change;
  /** Why; undefined for a merge that was taken over in part. */
  readonly error?: EvercartError;
  /** With a merge: what was not taken over, or not wholly. */
  readonly skipped: readonly Skipped[];
}

/** When somebody adds something soon after a failure, the network is not asked again at once. */
const FAILURE_REST_MS = 1000;
/** A tab that is told of another's change sends it, if that tab has not by then. */
const OTHERS_PATIENCE_MS = 5000;
/** How long a merge waits whose key another tab has used, before it is taken for refused. */
const REUSED_MAX_MS = 60_000;

/** Sends what waits in the journal. */
export class Outbox {
  readonly refused = new Listeners<Refusal>();
  readonly #core: Core;
  readonly #journal: Journal;
  readonly #truth: Truth;
  readonly #tabs: Tabs;
  readonly #guestMerge: MergeStrategy;
  readonly #waiters = new Waiters();
  #running: Promise<void> | undefined;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #failures = 0;
  // Moments of a clock that nobody sets.
  #failedAt = 0;
  /** Nothing is sent before this moment. */
  #notBefore = 0;
  /** True if it was the server that asked for the rest. */
  #wasAsked = false;
  /** True if the truth must be read again because something was refused. */
  #isStale = false;

  constructor(core: Core, journal: Journal, truth: Truth, tabs: Tabs, guestMerge: MergeStrategy) {
    this.#core = core;
    this.#journal = journal;
    this.#truth = truth;
    this.#tabs = tabs;
    this.#guestMerge = guestMerge;
    truth.onUnkept = () => {
      this.#kick();
    };
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
    const { owner } = this.#truth;
    const guest = owner === null ? this.#core.sessions.guest : undefined;
    const entry: Entry = { key, owner, change, guest };
    const written = this.#journal.put(entry);
    this.#truth.show();
    const isKept = isThenable(written) ? await written : written;
    if (isSettled(this.#journal.get(key))) return undefined;
    if (this.#core.sessions.token === null) {
      if (isKept) return undefined;
      this.#withdraw(entry);
      throw unkept();
    }
    const answer = this.#waiters.wait(key, isKept);
    if (now() < this.#notBefore && (this.#wasAsked || now() < this.#failedAt + FAILURE_REST_MS)) {
      this.#waiters.releaseAll();
    } else {
      this.wake();
    }
    return answer;
  }

  /** Takes back what is neither in storage nor on its way. */
  #withdraw(entry: Entry): void {
    this.#journal.settle([entry]);
    this.#truth.show();
  }

  /** Sends what waits now, unless the server asked for a rest. */
  wake(): void {
    if (!this.#wasAsked) this.#notBefore = 0;
    this.#kick();
  }

  /** Sends what waits, for as long as `patienceMs` allows. Returns how many changes still wait. */
  async drained(patienceMs: number): Promise<number> {
    const until = now() + patienceMs;
    this.#core.shelf.retry();
    await this.#core.ready;
    for (;;) {
      this.wake();
      await this.#running;
      const left = this.#truth.waiting();
      if (left === 0 || this.#core.sessions.token === null || this.#hasEnded()) return left;
      const wait = Math.max(1, this.#notBefore - now());
      if (now() + wait > until) return left;
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
    const value = await this.#core.own({ path: "/cart", signal });
    if (owner !== null) this.#truth.read(owner, moment, { cart: checkedCart(value) });
  }

  async readWishlist(signal?: AbortSignal): Promise<void> {
    const { owner, moment } = this.#truth;
    const value = await this.#core.own({ path: "/wishlist", signal });
    if (owner !== null) this.#truth.read(owner, moment, { wishlist: checkedWishlist(value) });
  }

  /** Hears what another tab has done. */
  hear(message: Message): void {
    if (message.about === "queue") {
      this.take(message.known);
    } else if (message.about === "settled") {
      const { key, owner, said, error } = message;
      const entry = this.#journal.get(key);
      this.#journal.join(message.settled);
      if (said) this.#truth.confirm(owner, said);
      else this.#truth.show();
      if (!error) this.#waiters.answer(key, said?.cart?.skipped ?? []);
      else if (entry && !isSettled(entry))
        this.#tellRefused(entry, new EvercartError(error.code as ErrorCode, error.message, error));
    } else if (message.about === "cart") {
      this.#truth.push(message.owner, message.cart);
    }
  }

  /** Takes the union with what another tab knows, or has written. */
  take(known: readonly Known[]): void {
    this.#journal.hear(known);
    this.#truth.show();
    // That something is settled needs nobody to send anything.
    if (this.#journal.list().length > 0) this.#schedule(OTHERS_PATIENCE_MS);
  }

  /** Forgets all that waits for this customer. */
  forget(owner: number): void {
    this.#journal.settle(this.#journal.list().filter((entry) => entry.owner === owner));
    this.#truth.show();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiters.releaseAll();
  }

  /** Sends what waits after that time, or earlier if that was asked for. */
  #schedule(ms: number): void {
    const at = now() + ms;
    if (this.#hasEnded() || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
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
    this.#timerAt = Infinity;
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
      claim(this.#journal, owner, this.#guestMerge);
      this.#truth.show();
      const entry = this.#journal.list().find((each) => each.owner === owner);
      if (!entry) break;
      if (now() < this.#notBefore) {
        this.#schedule(this.#notBefore - now());
        break;
      }
      try {
        const said = await this.#send(entry);
        this.#failures = 0;
        this.#settle(entry, owner, said);
      } catch (error) {
        if (this.#hasEnded()) break;
        if (this.#failed(entry, owner, error)) break;
      }
    }
    this.#truth.keep();
    this.#waiters.releaseAll();
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
    // Another tab has sent this merge, of fewer or more changes; what it knows of them will be heard.
    const known = this.#journal.get(entry.key);
    const since = Date.now() - ((!isSettled(known) && known?.first?.at) || Date.now());
    const isOthers =
      error.code === "idempotency_key_reused" && entry.covers && since < REUSED_MAX_MS;
    if (isOthers || mayHelpToRetry(error)) {
      this.#failures += 1;
      this.#failedAt = now();
      this.#wasAsked = error.retryAfterMs !== undefined;
      const wait = waitMs(error, this.#failures, this.#core.http.retry);
      this.#notBefore = now() + wait;
      this.#schedule(wait);
      return true;
    }
    this.#failures = 0;
    this.#refuse(entry, owner, error);
    return false;
  }

  async #send(entry: Entry): Promise<Said> {
    const first = entry.first ?? (await this.#firstTry(entry.change));
    // Kept before it is sent: if no answer comes, that must be known tomorrow.
    if (!entry.first) await this.#journal.put({ ...entry, first });
    const { change } = entry;
    const call = callOf(entry, first);
    if (!call) return {};
    const isForgotten = Math.abs(Date.now() - first.at) > KEY_LIFETIME_MS && adds(change, first);
    const ifMatch = isForgotten ? `"${first.version ?? 0}-0"` : undefined;
    try {
      return saidOf(change, await this.#once({ ...call, key: entry.key, ifMatch }));
    } catch (error) {
      if (!isEvercartError(error)) throw error;
      const isGone = error.code === "not_found" && change.kind === "set" && Boolean(first.line);
      if (!isGone && !(isForgotten && error.code === "version_conflict")) throw error;
      const cart = await this.#currentCart();
      // It may be in the cart, and so may another device's: told, but not made twice.
      if (isForgotten && mayHaveIt(change, first, cart)) throw error;
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
    const { signal } = this.#core.ended;
    const answer = await this.#core.withToken((token) =>
      this.#core.http.once<T>({ ...call, token, signal }),
    );
    return answer.value;
  }

  #settle(entry: Entry, owner: number, said: Said): void {
    const { key } = entry;
    const settled = this.#settled(entry);
    this.#truth.confirm(owner, said);
    this.#tabs.tell({ about: "settled", settled, key, owner, said });
    const skipped = said.cart?.skipped ?? [];
    const isAwaited = this.#waiters.answer(key, skipped);
    if (!isAwaited && skipped.length > 0) this.refused.tell({ change: entry.change, skipped });
  }

  #refuse(entry: Entry, owner: number, error: EvercartError): void {
    const { key } = entry;
    const settled = this.#settled(entry);
    this.#isStale = true;
    this.#truth.show();
    const { code, message, status, requestId, facts } = error;
    const sent = { code, message, status, requestId, facts };
    this.#tabs.tell({ about: "settled", settled, key, owner, error: sent });
    this.#tellRefused(entry, error);
  }

  /** Settles a change and, before it, what it stands for. */
  #settled(entry: Entry): Settled[] {
    const covered = (entry.covers ?? []).flatMap((key) => {
      const known = this.#journal.get(key);
      return known && !isSettled(known) ? [known] : [];
    });
    return this.#journal.settle([...covered, entry]);
  }

  #tellRefused(entry: Entry, error: EvercartError): void {
    if (!this.#waiters.refuse(entry.key, error))
      this.refused.tell({ change: entry.change, error, skipped: [] });
  }

  #hasEnded(): boolean {
    return this.#core.ended.signal.aborted;
  }

  async #reload(): Promise<void> {
    // What cannot be read now is read the next time; what this tab knows it knows.
    try {
      if (this.#tabs.areMany) await this.#journal.load();
    } catch {
      // Told already.
    }
  }
}

/** Milliseconds of a clock that nobody sets. */
function now(): number {
  return performance.now();
}

/**
 * Whether a change that was sent, was not answered, and whose key the server has forgotten since, may have
 * been made: the cart has moved on, and now has at least what it would have with the change.
 */
function mayHaveIt(change: Change, first: FirstTry, cart: Cart): boolean {
  if (!("sku_id" in change)) return true;
  const line = cart.items.find((item) => item.sku_id === change.sku_id);
  return (line?.quantity ?? 0) >= (first.had ?? 0) + change.quantity;
}
