// What all parts of a client share: requests in the name of whoever is signed in, and what happens
// when the server no longer takes their token.

import type { Answer, Asking, Method, Path } from "./api.js";
import { EvercartError, isEvercartError, type EvercartErrorOf } from "./errors.js";
import { newKey, type Call, type Http } from "./http.js";
import type { Sessions } from "./session.js";
import type { Shelf } from "./shelf.js";
import type { SignOutReason } from "./types.js";

/** Requests with the customer's token. */
export class Core {
  readonly http: Http;
  readonly sessions: Sessions;
  readonly shelf: Shelf;
  /** Done when the storage has said who is signed in; undefined if it has already. */
  ready: Promise<void> | undefined;
  /** Aborted when the client is closed. */
  readonly ended = new AbortController();

  constructor(http: Http, sessions: Sessions, shelf: Shelf) {
    this.http = http;
    this.sessions = sessions;
    this.shelf = shelf;
  }

  /** A request that needs no customer. */
  async open<const Asked extends Path, Verb extends Method = "GET">(
    call: Asking<Asked, Verb>,
  ): Promise<Answer<Asked, Verb>> {
    return (await this.http.call<Answer<Asked, Verb>>(withKey(call as Call))).value;
  }

  /** A request in the customer's name, tried again where that may help. */
  async own<const Asked extends Path, Verb extends Method = "GET">(
    call: Asking<Asked, Verb>,
  ): Promise<Answer<Asked, Verb>> {
    await this.ready;
    const keyed = withKey(call as Call);
    return this.withToken(
      async (token) => (await this.http.call<Answer<Asked, Verb>>({ ...keyed, token })).value,
    );
  }

  /**
   * Does `work` with the token, and ends the session if the server refuses it. If somebody has signed in
   * again meanwhile, the work is done again with the new token.
   */
  async withToken<T>(work: (token: string) => Promise<T>): Promise<T> {
    const { token, current } = this.sessions;
    if (token === null) throw nobody();
    try {
      return await work(token);
    } catch (error) {
      if (!isSessionEnd(error)) throw error;
      this.sessions.refused(token, error);
      const now = this.sessions;
      if (now.token === null || now.current.user?.id !== current.user?.id) throw error;
      return work(now.token);
    }
  }
}

/** What a call that needs a customer throws where there is none. */
export function nobody(): EvercartError {
  return new EvercartError("not_authenticated", "Nobody is signed in.", { status: 401 });
}

const SESSION_ENDS: readonly string[] = [
  "not_authenticated",
  "token_invalid",
  "token_expired",
  "signed_out",
  "user_blocked",
];

/** True if the server does not take the token. */
export function isSessionEnd(error: unknown): error is EvercartErrorOf<SignOutReason> {
  return isEvercartError(error) && error.status === 401 && SESSION_ENDS.includes(error.code);
}

function withKey(call: Call): Call {
  return call.method && call.key === undefined ? { ...call, key: newKey() } : call;
}
