// Who is signed in on this device: the token and its customer, kept in storage, shared between tabs.
// Listeners are told after the change, outside of everything that could wait for them.

import type { EvercartError } from "./errors.js";
import type { Shelf } from "./shelf.js";
import { Listeners, type Listener, type Unsubscribe } from "./listeners.js";
import type { Session, User } from "./types.js";

/** Why a session ended without `logout` being called on this device. */
export interface SignedOut {
  /** The error's code, such as `token_expired` or `signed_out`. */
  readonly code: string;
  /** A sentence for a person. */
  readonly message: string;
}

interface Kept {
  readonly token: string | null;
  readonly user: User;
}

const KEY = "session";
/** Where a phone and its last token are kept after that ended. Only `lastTokenFor` hands it out. */
const LAST = "phone";
const LOADING: Session = { status: "loading", user: null };
const GUEST: Session = { status: "guest", user: null };

/** Holds the session. */
export class Sessions {
  readonly changed = new Listeners<Session>();
  readonly signedOut = new Listeners<SignedOut>();
  /** Called before the listeners, after a change that this client made. */
  onOwnChange: (ended?: SignedOut) => void = () => undefined;
  #token: string | null = null;
  #session: Session = LOADING;
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  get current(): Session {
    return this.#session;
  }

  get token(): string | null {
    return this.#token;
  }

  onChange(listener: Listener<Session>): Unsubscribe {
    return this.changed.add(listener);
  }

  /** Takes over what storage says. `text` is null if it says nothing. */
  take(text: string | null): void {
    const kept = parsed(text);
    if (kept === null) this.#set(null, GUEST);
    else
      this.#set(kept.token, {
        status: kept.token === null ? "expired" : "signed_in",
        user: kept.user,
      });
  }

  /** Reads what storage says now. */
  load(): Promise<void> | undefined {
    const text = this.#shelf.get(KEY);
    if (!(text instanceof Promise)) {
      this.take(text);
      return undefined;
    }
    return text.then((found) => {
      this.take(found);
    });
  }

  /** Keeps the token of a customer who has just signed in. */
  async begin(token: string, user: User): Promise<void> {
    const kept: Kept = { token, user };
    const written = this.#write(kept);
    this.#set(token, { status: "signed_in", user }, this.onOwnChange);
    await written;
  }

  /**
   * Drops `token` because the server refused it. However many calls tell of the same token, the first
   * one ends the session and the others find it ended.
   */
  refused(token: string, error: EvercartError): void {
    if (this.#token !== token) return;
    // Another tab may have signed in again, and its word of it not have come yet.
    const kept = this.#shelf.get(KEY);
    if (!(kept instanceof Promise) && (parsed(kept)?.token ?? token) !== token) {
      this.take(kept);
      return;
    }
    const user = this.#session.user;
    // Where none arrived it may still be good, and must not stay on the device.
    if (user && error.code !== "not_authenticated") void this.remember(token, user.phone);
    const stays = user && error.code === "token_expired";
    const ended = { code: error.code, message: error.message };
    void this.#write(stays ? { token: null, user } : null);
    this.#set(null, stays ? { status: "expired", user } : GUEST, () => {
      this.onOwnChange(ended);
    });
    this.signedOut.tell(ended);
  }

  /** Forgets the customer, because they asked for it. */
  async end(): Promise<void> {
    // Writes are made one after another: waiting for the second is waiting for both.
    void this.#shelf.remove(LAST);
    const written = this.#write(null);
    this.#set(null, GUEST, this.onOwnChange);
    await written;
  }

  /**
   * Keeps a token that the server takes no more. It opens nothing; it tells the server, when this
   * phone asks for a code, that its customer was here before.
   */
  remember(token: string, phone: string): Promise<void> {
    return this.#shelf.set(LAST, `${phone} ${token}`);
  }

  /** The token that goes along when this phone asks for a code, if its customer has or had one here. */
  async lastTokenFor(typed: string): Promise<string | undefined> {
    const kept = this.#token
      ? `${this.#session.user?.phone} ${this.#token}`
      : await this.#shelf.get(LAST);
    const [phone, token] = kept?.split(" ") ?? [];
    const digits = typed.replace(/^\D*0+|\D/g, "");
    // As people in its country may type it. In doubt it is another phone.
    return digits.length >= TELLING_DIGITS && phone?.endsWith(digits) ? token : undefined;
  }

  #write(kept: Kept | null): Promise<void> {
    return kept === null ? this.#shelf.remove(KEY) : this.#shelf.set(KEY, JSON.stringify(kept));
  }

  #set(token: string | null, session: Session, before?: () => void): void {
    const old = this.#session;
    const same =
      token === this.#token && session.status === old.status && session.user?.id === old.user?.id;
    this.#token = token;
    if (same) return;
    this.#session = session;
    before?.();
    this.changed.tell(session);
  }
}

/** The fewest digits that tell one customer's phone from another's. */
const TELLING_DIGITS = 7;

function parsed(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as Partial<Kept> | null;
    return typeof kept?.user?.id === "number"
      ? { token: kept.token ?? null, user: kept.user }
      : null;
  } catch {
    return null;
  }
}
