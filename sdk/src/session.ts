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
const LOADING: Session = { status: "loading", user: null };
const GUEST: Session = { status: "guest", user: null };

/** Holds the session. */
export class Sessions {
  readonly changed = new Listeners<Session>();
  readonly signedOut = new Listeners<SignedOut>();
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
    const written = this.#shelf.set(KEY, JSON.stringify(kept));
    this.#set(token, { status: "signed_in", user });
    await written;
  }

  /**
   * Drops `token` because the server refused it. However many calls tell of the same token, the first
   * one ends the session and the others find it ended.
   */
  refused(token: string, error: EvercartError): void {
    if (this.#token !== token) return;
    const user = this.#session.user;
    const stays = user !== null && error.code === "token_expired";
    void this.#write(stays ? { token: null, user } : null);
    this.#set(null, stays ? { status: "expired", user } : GUEST);
    this.signedOut.tell({ code: error.code, message: error.message });
  }

  /** Forgets the customer, because they asked for it. */
  async end(): Promise<void> {
    const written = this.#write(null);
    this.#set(null, GUEST);
    await written;
  }

  #write(kept: Kept | null): Promise<void> {
    return kept === null ? this.#shelf.remove(KEY) : this.#shelf.set(KEY, JSON.stringify(kept));
  }

  #set(token: string | null, session: Session): void {
    const same =
      token === this.#token &&
      session.status === this.#session.status &&
      session.user?.id === this.#session.user?.id;
    this.#token = token;
    if (same) return;
    this.#session = session;
    this.changed.tell(session);
  }
}

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
