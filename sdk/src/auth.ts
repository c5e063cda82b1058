// Signing in and out, and what the shop knows of the customer.

import { EvercartError } from "./errors.js";
import type { components } from "./schema.js";
import type { Core } from "./core.js";
import { ELSE_ANSWERED, sleep } from "./http.js";
import type { Listener, Unsubscribe } from "./listeners.js";
import type { Outbox } from "./outbox.js";
import { isSessionEnd } from "./core.js";
import type { CodeSent, Export, Market, Profile, ProfileChange, Session, User } from "./types.js";

/** How long a logout waits for changes that have not been sent. */
const LOGOUT_PATIENCE_MS = 2000;

type SignedIn = components["schemas"]["SignedIn"];

/** Who has signed in. */
export interface SignInResult {
  readonly user: User;
  /** True the first time. */
  readonly is_new_user: boolean;
}

/** How a logout went. On this device it is always done. */
export interface LogoutResult {
  /**
   * `done`: every token of this customer is dead, on all devices. `unreached`: the server could not be
   * told; this device has forgotten the token, but until it expires (30 minutes at most) a copy of it
   * would still be taken. Tell the customer, or have them log out once more from any device.
   */
  readonly server: "done" | "unreached";
  /** Why it was not reached. */
  readonly error?: EvercartError;
}

/** Signing in and out. */
/** How an account is erased. */
export interface EraseOptions {
  /** Also if orders are still to be delivered. */
  readonly evenOpenOrders?: boolean;
}

export class Auth {
  readonly #core: Core;
  readonly #outbox: Outbox;

  /** @internal */
  constructor(core: Core, outbox: Outbox) {
    this.#core = core;
    this.#outbox = outbox;
  }

  /** Who is signed in, as far as this device knows; the same object until that changes. */
  session(): Session {
    return this.#core.sessions.current;
  }

  /** Resolves when the storage has said who is signed in. */
  async ready(): Promise<Session> {
    await this.#core.ready;
    return this.session();
  }

  /** Calls `listener` after every change of the session, also those made in other tabs. */
  onChange(listener: Listener<Session>): Unsubscribe {
    return this.#core.sessions.onChange(listener);
  }

  /**
   * Sends a code to the phone. The answer is the same whether or not it has an account. A code for
   * `stop_phone_change` is for `stopPhoneChange` and signs nobody in. A token that its customer has or had
   * on this device goes along, so that strangers who use up the shop's messages do not keep them out.
   */
  async sendCode(phone: string, purpose?: "sign_in" | "stop_phone_change"): Promise<CodeSent> {
    await this.#core.ready;
    const token = await this.#core.sessions.lastTokenFor(phone);
    // What is undefined is left out of the JSON.
    const body = { phone, purpose };
    return this.#core.open({ method: "POST", path: "/auth/send-code", body, token });
  }

  /**
   * Signs in. What a guest has collected on this device is then merged into the customer's cart, exactly
   * once; `code_invalid` is thrown for a code that is wrong, used or too old, `phone_moved` when an
   * account was moved away from the phone a short while ago.
   */
  async verifyCode(phone: string, code: string): Promise<SignInResult> {
    const body = { phone, verification_code: code };
    return this.#begin(await this.#core.open({ method: "POST", path: "/auth/verify-code", body }));
  }

  /**
   * Signs out on all devices. This device forgets the token even if the server cannot be reached; the
   * result says whether it was.
   */
  async logout(): Promise<LogoutResult> {
    await this.#core.ready;
    const { sessions } = this.#core;
    const { token } = sessions;
    const { user } = this.session();
    // What waits is the customer's, and should be in their cart when they sign in elsewhere. What cannot be
    // sent now stays on this device for their next sign-in here.
    if (token !== null) await Promise.race([this.#outbox.drained(0), sleep(LOGOUT_PATIENCE_MS)]);
    await sessions.end();
    if (token !== null) {
      try {
        await this.#core.open({ method: "POST", path: "/auth/logout", token });
      } catch (error) {
        if (!(error instanceof EvercartError)) throw error;
        if (!isSessionEnd(error)) return { server: "unreached", error };
      }
      // Not before it is dead: a token that is still good must not stay on the device.
      if (user) await sessions.remember(token, user.phone);
    }
    return { server: "done" };
  }

  /** What the shop knows of the customer. */
  async profile(signal?: AbortSignal): Promise<Profile> {
    return this.#core.own({ path: "/auth/profile", signal });
  }

  /** Changes the profile: what is left out stays, null empties. */
  async updateProfile(change: ProfileChange): Promise<Profile> {
    return this.#core.own({ method: "PUT", path: "/auth/profile", body: change });
  }

  /** The markets of this shop, and the one of requests that name none. */
  async markets(): Promise<{ markets: Market[]; default_market?: string | null }> {
    return this.#core.open({ path: "/auth/markets" });
  }

  /**
   * Sends a code to the number that is to become the customer's. It needs a sign-in under 5 minutes
   * old, or `code`: a fresh code that was sent to the old number.
   */
  async changePhone(newPhone: string, code?: string): Promise<CodeSent> {
    const body = { new_phone: newPhone, verification_code: code };
    return this.#core.own({ method: "POST", path: "/auth/phone", body });
  }

  /**
   * Confirms the new number with the code that was sent to it. The customer stays the same, with cart,
   * wishlist and orders; every earlier token is dead, this device gets a new one.
   */
  async confirmPhone(newPhone: string, code: string): Promise<SignInResult> {
    const body = { new_phone: newPhone, verification_code: code };
    return this.#begin(await this.#core.own({ method: "POST", path: "/auth/phone/confirm", body }));
  }

  /**
   * Stops the change that moved an account away from this phone, with a code that was sent to it for
   * `stop_phone_change`. Nobody can sign in to the account until the shop has decided whose it is.
   */
  async stopPhoneChange(phone: string, code: string): Promise<void> {
    const body = { phone, verification_code: code };
    await this.#core.open({ method: "POST", path: "/auth/phone/stop", body });
  }

  /**
   * Everything the shop holds about this customer. More than five minutes after signing in it fails with
   * `sign_in_not_fresh`: sign in again, with a code.
   */
  async exportData(): Promise<Export> {
    return this.#core.own({ path: "/auth/export" });
  }

  /**
   * Erases the customer's personal data; `code` is a fresh code sent to their own phone. Orders stay,
   * anonymised, for the shop's books. This device forgets the customer, too.
   *
   * While orders are still to be delivered it fails with `open_orders`, which names them, and the code
   * stays good. With `evenOpenOrders` it is done all the same, and these orders keep what the delivery
   * needs until they end.
   */
  async eraseAccount(code: string, options?: EraseOptions): Promise<void> {
    const body = { verification_code: code, even_open_orders: options?.evenOpenOrders };
    await this.#core.own({ method: "DELETE", path: "/auth/account", body });
    const { user } = this.session();
    await this.#core.sessions.end();
    if (user) this.#outbox.forget(user.id);
  }

  async #begin(answer: SignedIn): Promise<SignInResult> {
    if (typeof answer.access_token !== "string") throw new EvercartError("network", ELSE_ANSWERED);
    await this.#core.ready;
    await this.#core.sessions.begin(answer.access_token, answer.user);
    return { user: answer.user, is_new_user: answer.is_new_user };
  }
}
