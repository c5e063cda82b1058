// What an app's compiler must know of the package. Nothing of it runs: `npm run check` compiles it against
// the sources, and package.test.ts in an app, also with the oldest compiler that is supported.

import {
  createClient,
  isEvercartError,
  type Cart,
  type components,
  type ErrorFacts,
  type EvercartErrorOf,
  type Export,
  type Notice,
  type Order,
  type OrderStatus,
  type Session,
  type SignOutReason,
  type Skipped,
} from "evercart";

type Schemas = components["schemas"];
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Claim<Holds extends true> = Holds;
declare function show(what: unknown): void;

const shop = createClient({ url: "https://shop.example" });

export function told(error: unknown): string | number | undefined {
  if (!isEvercartError(error)) return undefined;
  switch (error.code) {
    case "insufficient_stock":
      return error.facts.available;
    case "price_changed":
      return error.facts.currency;
    case "quantity_limit":
    case "rate_limited":
      return error.facts.limit;
    case "order_not_cancellable":
      return error.facts.order_status;
    case "open_orders":
      // @ts-expect-error this code has other facts
      show(error.facts.available);
      return error.facts.orders?.[0];
    case "offline":
      return error.message;
    // @ts-expect-error no error has this code
    case "ofline":
      return 0;
    default:
      return error.requestId;
  }
}

export function toldOfOne(error: unknown): number | undefined {
  return isEvercartError(error, "insufficient_stock") ? error.facts.available : undefined;
}

export function noticed(notice: Notice): number {
  switch (notice.code) {
    case "price_changed":
      return notice.now - notice.was;
    case "insufficient_stock":
      return notice.available;
    case "unavailable":
      return 0;
    // @ts-expect-error nothing else is said
    case "gone":
      return 1;
  }
}

export const STEPS: Record<OrderStatus, string> = {
  pending: "placed",
  confirmed: "accepted",
  processing: "packed",
  shipped: "on its way",
  delivered: "with you",
  cancelled: "called off",
  returned: "sent back",
};

export async function open(): Promise<Order[]> {
  // @ts-expect-error there is no such status
  await shop.orders.list({ status: "lost" });
  return (await shop.orders.list({ status: "pending" })).orders;
}

export async function exported(): Promise<string | undefined> {
  const all = await shop.auth.exportData();
  return all.orders[0]?.order_number;
}

// Each fact is a member of the server's problems, under its own name and of its own type.
type Facts = { [Code in keyof ErrorFacts]: (given: ErrorFacts[Code]) => void }[keyof ErrorFacts];
type AllFacts = Facts extends (given: infer All) => void ? All : never;
type Problem = Required<Schemas["Problem"]>;

/** The words are those of the server's document, and no others. */
export type Claims = [
  Claim<Same<Order["status"], OrderStatus>>,
  Claim<Same<Notice["code"], Schemas["KnownNoticeCode"]>>,
  Claim<Same<Skipped["reason"], Schemas["KnownSkipReason"]>>,
  Claim<Same<Cart["notices"], Notice[]>>,
  Claim<Same<Export, Schemas["Export"]>>,
  Claim<Same<Session["status"], "loading" | "guest" | "signed_in" | "expired">>,
  Claim<Same<SignOutReason, Extract<SignOutReason, Schemas["KnownProblemCode"]>>>,
  Claim<Same<EvercartErrorOf<"timeout">["code"], "timeout">>,
  Claim<Same<AllFacts, Pick<Problem, keyof AllFacts & keyof Problem>>>,
];
