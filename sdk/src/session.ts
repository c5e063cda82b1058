// Who is signed in on this device: the token and its customer, kept in storage, shared between tabs.
// Listeners are told after the change, outside of everything that could wait for them.

import type { EvercartError } from "./errors.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import { after, isThenable, type Shelf } from "./shelf.js";
import type { MaybePromise } from "./storage.js";
import type { Session, SignOutReason, User } from "./types.js";

/** Why a session ended without `logout` being called on this device. */
export interface SignedOut {
  /** The error's code, such as `token_expired` or `signed_out`. */
  readonly code: SignOutReason;
  /** A sentence for a person. */
  readonly message: string;
}

/**
 * What is kept. Of two, the one with the larger number counts, whichever was read or heard of last. Who
 * signs in or out makes the next whole number, and never one that was there before the clock's time; an end
 * that nobody asked for makes half a step, so that it never undoes a sign-in of the same moment.
 */
export interface Kept {
  readonly n: number;
  readonly token: string | null;
  readonly user: User | null;
  /** Why it ended, if the server ended it. */
  readonly ended?: SignedOut;
}

const KEY = "session";
/** Where a phone and its last token are kept after that ended. Only `lastTokenFor` hands it out. */
const LAST = "phone";
const NOBODY = { token: null, user: null };

/** Holds the session. */
export class Sessions {
  readonly changed = new Listeners<Session>();
  readonly signedOut = new Listeners<SignedOut>();
  /** Called before the listeners, with what this client has written. */
  onOwnChange: (kept: Kept) => void = () => undefined;
  /** A number below all others: nothing was read yet. */
  #kept: Kept = { n: -1, ...NOBODY };
  #session: Session = { status: "loading", user: null };
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  get current(): Session {
    return this.#session;
  }

  get token(): string | null {
    return this.#kept.token;
  }

  /** The number of this device's guest, for what they collect; undefined while it is not known. */
  get guest(): number | undefined {
    // Several devices' guests may become one customer. No two have the same number.
    if (this.#kept.n === 0) void this.#make({ n: this.#next() + Math.random() / 2, ...NOBODY });
    return this.#kept.n < 0 ? undefined : this.#kept.n;
  }

  onChange(listener: Listener<Session>): Unsubscribe {
    return this.changed.add(listener);
  }

  /** Takes over what another tab has written, unless this one knows of something newer. */
  hear(kept: Kept): void {
    if (this.#take(kept)) return;
    // The other has written over it.
    if (isNewer(this.#kept, kept)) void this.#write();
  }

  /** Hears that another tab has removed what is kept. */
  hearNothing(): void {
    this.#take({ n: this.#next(), ...NOBODY });
  }

  /**
   * Reads what storage says now. What makes no sense is a read that failed, unless it is `given up`.
   * Throws or rejects with `storage`.
   */
  load(givenUp = false): MaybePromise<void> {
    const take = (text: string | null) => {
      const kept = text === null ? { n: 0, ...NOBODY } : keptOf(text);
      if (!kept && !givenUp) throw this.#shelf.unread(new TypeError("The session makes no sense."));
      this.#take(kept ?? { n: 0, ...NOBODY });
    };
    return after(this.#shelf.get(KEY), take);
  }

  /** Keeps the token of a customer who has just signed in. */
  async begin(token: string, user: User): Promise<void> {
    await this.#make({ n: this.#next(), token, user });
  }

  /**
   * Drops `token` because the server refused it. However many calls tell of the same token, the first
   * one ends the session and the others find it ended.
   */
  refused(token: string, error: EvercartError<SignOutReason>): void {
    if (this.token !== token) return;
    // Another tab may have signed in again, and its word of it not have come yet.
    try {
      const text = this.#shelf.get(KEY);
      const kept = isThenable(text) ? undefined : keptOf(text ?? "");
      if (kept && this.#take(kept) && this.token !== token) return;
    } catch {
      // It is as this tab knows it.
    }
    const { user } = this.#session;
    // Where none arrived it may still be good, and must not stay on the device.
    if (user && error.code !== "not_authenticated") void this.remember(token, user.phone);
    const ended = { code: error.code, message: error.message };
    const stays = error.code === "token_expired" ? user : null;
    void this.#make({ n: Math.floor(this.#kept.n) + 0.5, token: null, user: stays, ended });
  }

  /** Forgets the customer, because they asked for it. */
  async end(): Promise<void> {
    // Writes are made one after another: waiting for the second is waiting for both.
    void this.#shelf.remove(LAST);
    await this.#make({ n: this.#next(), ...NOBODY });
  }

  /**
   * Keeps a token that the server takes no more. It opens nothing; it tells the server, when this
   * phone asks for a code, that its customer was here before.
   */
  async remember(token: string, phone: string): Promise<void> {
    await this.#shelf.set(LAST, `${phone} ${token}`);
  }

  /** The token that goes along when this phone asks for a code, if its customer has or had one here. */
  async lastTokenFor(typed: string): Promise<string | undefined> {
    const kept = this.token
      ? `${this.#session.user?.phone} ${this.token}`
      : await Promise.resolve(this.#shelf.get(LAST)).catch(() => null);
    const [phone, token] = kept?.split(" ") ?? [];
    const digits = typed.replace(/^\D*0+|\D/g, "");
    // As people in its country may type it. In doubt it is another phone.
    return digits.length >= TELLING_DIGITS && phone?.endsWith(digits) ? token : undefined;
  }

  #next(): number {
    return Math.max(Math.floor(this.#kept.n) + 1, Date.now());
  }

  async #make(kept: Kept): Promise<void> {
    if (!isNewer(kept, this.#kept)) return;
    const written = this.#write(kept);
    this.#take(kept, true);
    await written;
  }

  #write(kept = this.#kept): MaybePromise<boolean> {
    // Without what is not there: nothing of a customer who has left.
    return this.#shelf.set(
      KEY,
      JSON.stringify(kept, (_, value: unknown) => value ?? undefined),
    );
  }

  /** Takes over what is newer than what is known, and returns whether it is. */
  #take(kept: Kept, isOwn = false): boolean {
    if (!isNewer(kept, this.#kept)) return false;
    const { user, ended } = kept;
    const old = this.#session;
    const had = this.token;
    this.#kept = kept;
    const status = !user ? "guest" : kept.token === null ? "expired" : "signed_in";
    const isSame = kept.token === had && status === old.status && user?.id === old.user?.id;
    if (!isSame) this.#session = { status, user };
    if (isOwn) this.onOwnChange(kept);
    if (!isSame) this.changed.tell(this.#session);
    if (ended && had !== null && kept.token === null) this.signedOut.tell(ended);
    return true;
  }
}

/** The fewest digits that tell one customer's phone from another's. */
const TELLING_DIGITS = 7;

/** Of two with the same number, any will do, as long as all tabs choose the same: no token is safest. */
function isNewer(one: Kept, other: Kept): boolean {
  return one.n > other.n || (one.n === other.n && (one.token ?? "") < (other.token ?? ""));
}

export function keptOf(text: string): Kept | undefined {
  try {
    const { n = 0, token = null, user = null, ended } = JSON.parse(text) as Partial<Kept>;
    const isUser = user === null || typeof user.id === "number";
    if (isUser && (token === null || user)) return { n, token, user, ...(ended && { ended }) };
  } catch {
    // It makes no sense.
  }
  return undefined;
}
