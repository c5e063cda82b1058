// The one error that the SDK throws. What went wrong is its `code`; what to tell the customer is the
// caller's business, and `message` a usable English sentence.

import type { components } from "./schema.js";
import type { FieldError, OrderStatus } from "./types.js";

/** What the server says went wrong. */
export type ProblemCode =
  components["schemas"]["KnownProblemCode"] | "phone_taken" | "idempotency_key_in_use";

/**
 * What went wrong on the way:
 * - `network`: the server could not be reached, or something else answered in its place;
 * - `timeout`: it did not answer in time;
 * - `aborted`: the caller's own signal ended the call;
 * - `offline`: changes wait for the network, and this call would have to come after them;
 * - `storage`: the device's storage could not be read, or did not take a change that could not be sent at once.
 */
export type ClientCode = "network" | "timeout" | "aborted" | "offline" | "storage";

/** All values that `EvercartError.code` can have. */
export type ErrorCode = ProblemCode | ClientCode;

/** The facts that a problem carries in members of its own. */
export interface ErrorFacts {
  insufficient_stock: { sku_id: number; available: number };
  sku_unavailable: { sku_id: number };
  /** The order that emptied the cart, if an order did. */
  cart_empty: { order_id: number; order_number: string };
  /** `until`: when the hold is over; absent while the shop has to decide whose the account is. */
  phone_moved: { until: string };
  phone_on_hold: { until: string };
  /** The orders that are still to be delivered, the oldest first; at most twenty. */
  open_orders: { orders: number[] };
  price_changed: { expected: number; actual: number; currency: string };
  /** The cart's version that the client named, and the one it has. */
  version_conflict: { expected: number; actual: number };
  /** How many are possible, and of what. */
  quantity_limit: { limit: number; of: string };
  /** Only where a customer has or does too much; codes that are asked for too often have no facts. */
  rate_limited: { limit: number; of: string };
  order_not_cancellable: { order_status: OrderStatus };
}

/** The facts of a code, if it is known which those are. */
export type FactsOf<Code extends ErrorCode> = Code extends keyof ErrorFacts
  ? Partial<ErrorFacts[Code]>
  : Readonly<Record<string, unknown>>;

/** What is needed to make an `EvercartError`. */
export interface ErrorInit {
  readonly status?: number;
  readonly requestId?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

// Two copies of this package in one bundle know each other's errors by this, as `instanceof` would not.
const BRAND = "__isEvercartError";

/** Why a call was not done. */
export class EvercartError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "EvercartError";
  /** What went wrong, for programs. Never renamed. */
  readonly code: Code;
  /** The answer's HTTP status; 0 if there was none. */
  readonly status: number;
  /** What to quote when asking the shop's operator for help. */
  readonly requestId: string | undefined;
  /** With `validation_failed`: what is wrong with which field. */
  readonly errors: readonly FieldError[];
  /** What else the problem says, such as `available` with `insufficient_stock`. */
  readonly facts: FactsOf<Code>;
  /** How long the server asked to wait before another try, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly [BRAND] = true;

  constructor(code: Code, message: string, init: ErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.status = init.status ?? 0;
    this.requestId = init.requestId;
    this.errors = init.errors ?? [];
    this.facts = (init.facts ?? {}) as FactsOf<Code>;
    this.retryAfterMs = init.retryAfterMs;
  }

  /** For logs: everything but the stack. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, status, requestId, errors, facts } = this;
    return { name, code, message, status, requestId, errors, facts };
  }
}

/** An error with one of these codes: after `switch (error.code)` it is known which facts it has. */
export type EvercartErrorOf<Code extends ErrorCode = ErrorCode> = Code extends ErrorCode
  ? EvercartError<Code>
  : never;

/**
 * True for errors of this SDK; with `code`, for those with that code. Then `switch (error.code)` tells in
 * each case which facts there are.
 */
export function isEvercartError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is EvercartErrorOf<Code> {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as EvercartError).code === code;
}
