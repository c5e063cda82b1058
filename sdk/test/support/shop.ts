// A shop in a few lines, for tests of what a real one cannot be made to do: it keeps carts and keys,
// and answers as the test says.

import type { Fetch, FetchInit } from "../../src/index.js";
import { json, problem } from "./faults.js";

export interface FakeShop {
  readonly fetch: Fetch;
  /** What was asked: `POST /cart/items key`, in order. */
  readonly asked: {
    readonly what: string;
    readonly key: string | undefined;
    readonly at: number;
  }[];
  /** Answers in the shop's place; with undefined the shop answers. It is done before or after the effect. */
  instead: (
    path: string,
    init: FetchInit,
    when: "before" | "after",
  ) => Response | Error | undefined;
  readonly lines: Map<number, number>;
  version: number;
  /** True if a merge takes the larger quantity, as `max` asks for. */
  mergesMax: boolean;
  /** As after 24 hours. */
  forgetKeys(): void;
}

export function fakeShop(): FakeShop {
  const keys = new Map<string, string>();
  let tokens = 0;
  const shop: FakeShop = {
    asked: [],
    instead: () => undefined,
    lines: new Map(),
    version: 0,
    mergesMax: false,
    forgetKeys: () => {
      keys.clear();
    },
    fetch: (input, init) => {
      const key = init.headers["Idempotency-Key"];
      shop.asked.push({ what: `${init.method} ${input}`, key, at: Date.now() });
      const before = shop.instead(input, init, "before");
      if (before) return before instanceof Error ? Promise.reject(before) : Promise.resolve(before);
      const answer = answerOf(input, init, key);
      const after = shop.instead(input, init, "after") ?? answer;
      return after instanceof Error ? Promise.reject(after) : Promise.resolve(after);
    },
  };

  function answerOf(path: string, init: FetchInit, key: string | undefined): Response {
    if (path === "/auth/verify-code") {
      tokens += 1;
      return json({
        access_token: `token${tokens}`,
        user: { id: 1, phone: "+1" },
        is_new_user: false,
      });
    }
    if (path === "/auth/profile" || path === "/auth/logout") return json({ id: 1 });
    if (init.method === "GET") return json(cart());
    const known = keys.get(key ?? "");
    if (known !== undefined)
      return known === (init.body ?? "") ? json(cart()) : problem(422, "idempotency_key_reused");
    const ifMatch = init.headers["If-Match"];
    if (ifMatch !== undefined && ifMatch !== `"${shop.version}-0"`)
      return problem(412, "version_conflict");
    type Item = { sku_id: number; quantity: number };
    const body = JSON.parse(init.body ?? "{}") as Item & { items?: Item[] };
    const items = body.items ?? [body];
    if (init.method !== "POST") shop.lines.clear();
    else
      items.forEach((item) =>
        shop.lines.set(item.sku_id, quantityOf(item, body.items !== undefined)),
      );
    shop.version += 1;
    if (key !== undefined) keys.set(key, init.body ?? "");
    return json(cart());
  }

  function quantityOf(item: { sku_id: number; quantity: number }, isMerge: boolean): number {
    const had = shop.lines.get(item.sku_id) ?? 0;
    return isMerge && shop.mergesMax ? Math.max(had, item.quantity) : had + item.quantity;
  }

  function cart(): object {
    const items = [...shop.lines].map(([sku_id, quantity]) => ({
      id: sku_id,
      sku_id,
      quantity,
      price: 1,
      line_total: quantity,
    }));
    return {
      id: 1,
      user_id: 1,
      version: shop.version,
      currency: "USD",
      items,
      total_items: items.reduce((sum, line) => sum + line.quantity, 0),
      total_price: 0,
      notices: [],
      updated_at: null,
    };
  }

  return shop;
}
