// What the server has said last of this customer's cart and wishlist, and what is shown of it. The last
// word is kept in storage, so that there is something to show before, or without, the network.

import type { Core } from "./core.js";
import type { Journal } from "./journal.js";
import { Listeners } from "./listeners.js";
import { isThenable } from "./shelf.js";
import type { MaybePromise } from "./storage.js";
import type { Cart, CartView, LineDetails, Wishlist, WishlistView } from "./types.js";
import { cartView, wishlistView } from "./view.js";

/** What an answer says of cart and wishlist. */
export interface Said {
  readonly cart?: Cart | undefined;
  readonly wishlist?: Wishlist | undefined;
  /** A product that has gone from the wishlist. */
  readonly unwished?: number | undefined;
}

interface Kept extends Said {
  readonly owner: number;
}

const NAME = "shown";

/** Cart and wishlist, as the server said and as they are shown. */
export class Truth {
  readonly cartChanged = new Listeners<CartView>();
  readonly wishlistChanged = new Listeners<WishlistView>();
  readonly #core: Core;
  readonly #journal: Journal;
  #owner: number | null = null;
  #cart: Cart | null = null;
  #wishlist: Wishlist | null = null;
  /** What came while changes were on their way: it may or may not have them in it already. */
  #held: Cart | null = null;
  /** Counts what was said, so that a read that began before is known to be old. */
  #moment = 0;
  /** When a mutation has said something last. */
  #said = 0;
  /** When a cart came unasked last. */
  #pushed = 0;
  /** Done when what was kept has been read. */
  loading: MaybePromise<void> = undefined;
  /** Called when there is something to keep. Only the tab that sends writes it, so that none undoes it. */
  onUnkept: () => void = () => undefined;
  #isKept = true;
  /** What the catalogue says of a SKU, for guests. */
  known: (skuId: number) => LineDetails | undefined = () => undefined;
  #cartView = cartView(null, [], true, false);
  #wishlistView = wishlistView(null, [], true, false);

  constructor(core: Core, journal: Journal) {
    this.#core = core;
    this.#journal = journal;
  }

  /** Whose cart is shown; null for a guest. */
  get owner(): number | null {
    return this.#core.sessions.current.user?.id ?? null;
  }

  get cart(): Cart | null {
    return this.#cart;
  }

  get cartView(): CartView {
    return this.#cartView;
  }

  get wishlistView(): WishlistView {
    return this.#wishlistView;
  }

  /** To be given to `read` with what was asked for after this. */
  get moment(): number {
    return this.#moment;
  }

  /** Takes over what was kept, for whoever is signed in now. */
  #load(): MaybePromise<void> {
    const owner = this.owner;
    this.#owner = owner;
    this.#cart = this.#wishlist = this.#held = null;
    this.#said = ++this.#moment;
    if (owner === null) {
      void this.#core.shelf.remove(NAME);
      this.show();
      return;
    }
    // Without it the customer waits for the network, no more.
    const unread = () => {
      this.#take(null, owner);
    };
    try {
      const text = this.#core.shelf.get(NAME);
      if (isThenable(text))
        return text.then((found) => {
          this.#take(found, owner);
        }, unread);
      this.#take(text, owner);
    } catch {
      unread();
    }
  }

  /** To be called when the session has changed. What was kept is there when `loading` is done. */
  follow(): void {
    if (this.owner === this.#owner) this.show();
    else this.loading = this.#load();
  }

  /** Takes over the answer to a change. */
  confirm(owner: number, said: Said): void {
    if (owner !== this.#owner) return;
    this.#said = ++this.#moment;
    this.#isKept = false;
    const { cart, wishlist, unwished } = said;
    if (cart) this.#newer(cart);
    if (wishlist) this.#wishlist = wishlist;
    if (unwished !== undefined && this.#wishlist) {
      const items = this.#wishlist.items.filter((item) => item.product_id !== unwished);
      this.#wishlist = { ...this.#wishlist, items, total_items: items.length };
    }
    this.show();
  }

  /** Takes over a cart that came unasked. While changes are on their way it waits for their answers. */
  push(owner: number, cart: Cart): void {
    if (owner !== this.#owner) return;
    if (this.waiting() > 0) {
      if (!this.#held || cart.version >= this.#held.version) this.#held = cart;
      return;
    }
    if (this.#cart && (cart.version < this.#cart.version || isSame(cart, this.#cart))) return;
    this.#cart = cart;
    this.#pushed = ++this.#moment;
    this.show();
    this.#unkept();
  }

  /** Takes over what was read at `moment`, unless a change was answered since. */
  read(owner: number, moment: number, said: Said): void {
    if (owner !== this.#owner || moment < this.#said) return;
    // A newer cart may have come while this one was on its way.
    if (said.cart && (this.waiting() > 0 || moment < this.#pushed) && this.#cart) {
      this.push(owner, said.cart);
    } else if (said.cart) {
      // Also if its version is lower: the shop may have been restored from a backup.
      this.#cart = said.cart;
    }
    if (said.wishlist) this.#wishlist = said.wishlist;
    this.show();
    this.#unkept();
  }

  /** How many changes of the customer wait to be sent. A guest's wait for nothing but a sign-in. */
  waiting(): number {
    if (this.#owner === null) return 0;
    return this.#journal.list().filter((entry) => entry.owner === this.#owner).length;
  }

  /** Shows what is known now. */
  show(): void {
    if (this.#held && this.waiting() === 0) {
      this.#newer(this.#held);
      this.#held = null;
    }
    const { status } = this.#core.sessions.current;
    const isGuest = this.#owner === null;
    const changes = this.#journal
      .list()
      // A guest's changes that were not merged yet belong to whoever has signed in.
      .filter((entry) => entry.owner === this.#owner || entry.owner === null)
      .map((entry) => entry.change);
    const isKnown = status === "guest";
    const cart = cartView(this.#cart, changes, isGuest, isKnown || this.#cart !== null, this.known);
    const isRead = isKnown || this.#wishlist !== null;
    const wishlist = wishlistView(this.#wishlist, changes, isGuest, isRead);
    if (!isSame(cart, this.#cartView)) this.cartChanged.tell((this.#cartView = cart));
    if (!isSame(wishlist, this.#wishlistView)) {
      this.wishlistChanged.tell((this.#wishlistView = wishlist));
    }
  }

  #unkept(): void {
    this.#isKept = false;
    this.onUnkept();
  }

  /** Keeps what the server said last for the next time. */
  keep(): void {
    if (this.#owner === null || this.#isKept) return;
    this.#isKept = true;
    const kept: Kept = {
      owner: this.#owner,
      cart: this.#cart ?? undefined,
      wishlist: this.#wishlist ?? undefined,
    };
    void this.#core.shelf.set(NAME, JSON.stringify(kept));
  }

  #newer(cart: Cart): void {
    if (!this.#cart || cart.version >= this.#cart.version) this.#cart = cart;
  }

  #take(text: string | null, owner: number): void {
    if (owner !== this.#owner) return;
    try {
      const kept = JSON.parse(text ?? "null") as Kept | null;
      if (kept?.owner === owner) {
        this.#cart ??= kept.cart ?? null;
        this.#wishlist ??= kept.wishlist ?? null;
      }
    } catch {
      // Nothing that can be read is nothing that was kept.
    }
    this.show();
  }
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
