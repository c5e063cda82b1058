// Why something was refused, in the customer's language: as a sentence, and beside each field that is
// meant.

import { isEvercartError, type ErrorCode, type EvercartError, type FieldError } from "evercart";
import type { Texts } from "./texts";

/** What to say, and which of the form's fields to say it of. */
export interface Refusal {
  readonly text: string;
  /** What is wrong with which field, by its name in the API. */
  readonly fields: Readonly<Record<string, string>>;
}

type Money = (amount: number, currency: string) => string;

/** What to say of an error. */
export function refusalOf(error: unknown, t: Texts, money: Money): Refusal {
  if (!isEvercartError(error)) return { text: t.problem, fields: {} };
  if (error.errors.length === 0) return { text: sentence(error, t, money), fields: {} };
  const fields = Object.fromEntries(error.errors.map((one) => [one.field, ofField(one, t)]));
  return { text: t.checkFields, fields };
}

/** By the error's code. The type check sees to it that none is forgotten. */
const SENTENCES: Record<ErrorCode, keyof Texts & Plain> = {
  network: "unreachable",
  timeout: "unreachable",
  offline: "unreachable",
  aborted: "problem",
  storage: "notStored",
  malformed_json: "problem",
  host_required: "problem",
  market_required: "problem",
  market_unknown: "problem",
  market_mismatch: "problem",
  method_not_allowed: "problem",
  body_too_large: "problem",
  unsupported_media_type: "problem",
  validation_failed: "checkFields",
  idempotency_key_reused: "problem",
  internal_error: "problem",
  not_authenticated: "expired",
  token_invalid: "expired",
  token_expired: "expired",
  signed_out: "endedElsewhere",
  user_blocked: "blocked",
  sign_in_not_fresh: "notFresh",
  code_invalid: "codeInvalid",
  not_found: "missing",
  insufficient_stock: "soldOut",
  sku_unavailable: "unavailable",
  cart_empty: "cartEmpty",
  price_changed: "priceChangedSince",
  phone_taken: "phoneTaken",
  phone_moved: "phoneMoveStopped",
  phone_on_hold: "accountFrozen",
  open_orders: "openOrders",
  order_not_cancellable: "notCancellable",
  version_conflict: "changedMeanwhile",
  quantity_limit: "quantityLimit",
  rate_limited: "busy",
  too_many_attempts: "busy",
  overloaded: "busy",
  catalogue_busy: "busy",
  store_unavailable: "busy",
  idempotency_key_in_use: "busy",
  sms_unavailable: "smsUnavailable",
};

/** Names of texts that need nothing put in. */
type Plain = { [Name in keyof Texts]: Texts[Name] extends string ? Name : never }[keyof Texts];

function sentence(error: EvercartError, t: Texts, money: Money): string {
  if (isEvercartError(error, "insufficient_stock") && error.facts.available)
    return t.insufficientStock(error.facts.available);
  if (isEvercartError(error, "price_changed") && error.facts.actual !== undefined)
    return t.totalChanged(money(error.facts.actual, error.facts.currency ?? ""));
  if (isEvercartError(error, "phone_moved") && error.facts.until) return t.phoneMoved;
  if (isEvercartError(error, "phone_on_hold") && error.facts.until) return t.phoneOnHold;
  if (error.status === 429 && error.retryAfterMs !== undefined)
    return t.tooMany(Math.ceil(error.retryAfterMs / 1000));
  return t[SENTENCES[error.code] ?? "problem"];
}

/** The server says it in English; what it means is told by how it says it. */
function ofField({ field, detail }: FieldError, t: Texts): string {
  if (field.includes("phone")) return t.phoneInvalid;
  if (field.includes("email")) return t.emailInvalid;
  if (field.includes("code")) return t.codeInvalid;
  const most = /at most (\d+) characters/.exec(detail)?.[1];
  if (most !== undefined) return t.tooLong(Number(most));
  return detail.startsWith("is missing") ? t.required : t.fieldWrong;
}
