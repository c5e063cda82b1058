// An order that was sent and whose answer did not come: kept in this tab until it is known what became of
// it.

import type { Checkout } from "evercart";
import { keep, stored } from "./storage";

const KEY = "evercart-shop:draft:ordering:";

/** What customer `whose` sent last, if the answer did not come. */
export function unanswered(whose: string): Checkout | undefined {
  const text = stored("session", KEY + whose);
  try {
    return text === null ? undefined : (JSON.parse(text) as Checkout);
  } catch {
    return undefined;
  }
}

export function keepUnanswered(whose: string, checkout: Checkout | undefined): void {
  keep("session", KEY + whose, checkout === undefined ? null : JSON.stringify(checkout));
}
