// A shop for an app's own tests, in a few lines and in memory: give its `fetch` to `createClient`. It keeps
// customers, carts, wishlists, orders and idempotency keys as the real one does. It knows no stock, no markets
// and no live events; for those, start the real one: `evercart serve --demo`.

import type { Fetch, FetchInit } from "./http.js";
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Items = readonly { readonly sku_id: number; readonly quantity: number }[];

/** A product that a fake shop sells. */
export interface FakeProduct {
  readonly id: number;
  readonly name: string;
  readonly category?: string;
  readonly skus: readonly {
    readonly id: number;
    readonly price: number;
    readonly size?: string;
    readonly color?: string;
  }[];
}

/** A shop in memory. */
export interface FakeShop {
  /** For `createClient({ url: "", fetch: shop.fetch, live: "off" })`. */
  readonly fetch: Fetch;
  /** What was asked, in order: `POST /cart/items`, with its idempotency key and when. */
  readonly asked: {
    readonly what: string;
    readonly key: string | undefined;
    readonly at: number;
  }[];
  /**
   * Answers in the shop's place, before or after the effect; with undefined the shop answers. An error stands
   * for a network that fails: `shop.instead = () => new TypeError("offline")`.
   */
  instead: (
    path: string,
    init: FetchInit,
    when: "before" | "after",
  ) => Response | Error | undefined;
  /** Pieces by SKU in the first customer's cart. */
  readonly lines: Map<number, number>;
  /** The version of the first customer's cart. */
  version: number;
  /** True if a merge takes the larger quantity whatever it asks for. */
  mergesMax: boolean;
  /** Signs a customer in and returns the token, for a test that starts signed in. The first is `token1`. */
  tokenOf(phone: string): string;
  /** As 24 hours later. */
  forgetKeys(): void;
}

interface Customer {
  readonly id: number;
  phone: string;
  version: number;
  readonly lines: Map<number, number>;
  readonly wishes: Set<number>;
  readonly orders: Schemas["Order"][];
  readonly addresses: Schemas["Address"][];
}

interface Request {
  readonly customer: Customer;
  readonly id: number;
  readonly body: Record<string, unknown>;
}

/** The code that signs everybody in. */
export const FAKE_CODE = "123456";

const CURRENCY = "USD";
const NOW = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

/** An answer as the shop gives it. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** A refusal as the shop says it, such as `problem(409, "cart_empty")`. */
export function problem(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  facts: object = {},
): Response {
  const type = `urn:evercart:problem:${code}`;
  const body = { type, title: code, status, detail: code, code, request_id: "r", ...facts };
  return json(body, status, { "Content-Type": "application/problem+json", ...headers });
}

/** Makes a shop. A SKU that none of the `products` has costs 1.00. */
export function fakeShop(products: readonly FakeProduct[] = []): FakeShop {
  /** Whoever signs in first; `lines` shows their cart. */
  const first = newCustomer(1);
  const customers = new Map<string, Customer>();
  const tokens = new Map<string, Customer>();
  const keys = new Map<string, string>();
  let tokensGiven = 0;

  const shop: FakeShop = {
    asked: [],
    instead: () => undefined,
    lines: first.lines,
    get version() {
      return first.version;
    },
    set version(version) {
      first.version = version;
    },
    mergesMax: false,
    tokenOf: (phone) => signIn(phone).access_token,
    forgetKeys: () => {
      keys.clear();
    },
    fetch: (input, init) => {
      const key = init.headers["Idempotency-Key"];
      const path = input.replace(/^https?:\/\/[^/]+/, "");
      shop.asked.push({ what: `${init.method} ${path}`, key, at: Date.now() });
      const answer = shop.instead(path, init, "before") ?? answered(path, init, key);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };

  /** The answer after the effect, unless another comes in its place. */
  function answered(path: string, init: FetchInit, key: string | undefined): Response | Error {
    const answer = answerOf(path, init, key);
    return shop.instead(path, init, "after") ?? answer;
  }

  function answerOf(target: string, init: FetchInit, key: string | undefined): Response {
    const { pathname: path, searchParams: query } = new URL(target, "http://shop");
    const body = JSON.parse(init.body ?? "{}") as Record<string, unknown>;
    const open = openAnswer(`${init.method} ${path}`, body, query);
    if (open) return open;
    const token = init.headers["Authorization"]?.replace("Bearer ", "") ?? "";
    const customer = tokens.get(token);
    if (!customer) return problem(401, token === "" ? "not_authenticated" : "signed_out");
    const known = keys.get(key ?? "");
    if (known !== undefined && known !== (init.body ?? ""))
      return problem(422, "idempotency_key_reused");
    const [, id] = /\/(\d+)(?:\/|$)/.exec(path) ?? [];
    const what = `${init.method} ${path.replace(/\/\d+/, "/#")}`;
    const request = { customer, id: Number(id), body };
    if (known !== undefined) return shownAgain(what, request);
    const ifMatch = init.headers["If-Match"];
    if (ifMatch !== undefined && ifMatch !== tagOf(customer))
      return problem(412, "version_conflict");
    const answer = ownAnswer(what, request) ?? problem(404, "not_found");
    if (key !== undefined && answer.ok) keys.set(key, init.body ?? "");
    return answer;
  }

  function openAnswer(
    what: string,
    body: Record<string, unknown>,
    query: URLSearchParams,
  ): Response | undefined {
    const sold = products.map(productOf);
    switch (what) {
      case "POST /auth/send-code":
        return json({ success: true, phone_number: body["phone"], demo_code: FAKE_CODE });
      case "POST /auth/verify-code": {
        const { phone, verification_code: code } = body;
        if (code !== undefined && code !== FAKE_CODE) return problem(400, "code_invalid");
        return json(signIn(String(phone)));
      }
      case "GET /products": {
        const found = sold.filter(
          ({ name, category }) =>
            (query.get("category") ?? category) === category &&
            name.toLowerCase().includes(query.get("search")?.toLowerCase() ?? ""),
        );
        const from = Number(query.get("offset") ?? 0);
        const page = found.slice(from, from + Number(query.get("limit") ?? 20));
        const has_more = from + page.length < found.length;
        return json({ products: page, total: found.length, has_more });
      }
      case "GET /categories": {
        const names = new Set(sold.flatMap(({ category }) => category ?? []));
        const count = (name: string) => sold.filter(({ category }) => category === name).length;
        const categories = [...names].sort().map((name) => ({ name, products: count(name) }));
        return json({ categories });
      }
    }
    const [, id] = /^GET \/products\/(\d+)$/.exec(what) ?? [];
    if (id === undefined) return undefined;
    const product = sold.find((one) => one.id === Number(id));
    return product ? json(product) : problem(404, "not_found");
  }

  function signIn(phone: string) {
    const known = customers.get(phone);
    const customer = known ?? (customers.size === 0 ? first : newCustomer(customers.size + 1));
    customers.set(phone, customer);
    customer.phone = phone;
    tokensGiven += 1;
    const access_token = `token${tokensGiven}`;
    tokens.set(access_token, customer);
    const user = { id: customer.id, phone };
    return { success: true, access_token, user, is_new_user: !known };
  }

  /** A repeat changes nothing, and shows what there is. */
  function shownAgain(what: string, request: Request): Response {
    if (what.includes("/wishlist") && !what.includes("move"))
      return json(wishlistOf(request.customer));
    if (what.includes("/cart")) return json(cartOf(request.customer));
    return json(request.customer.orders.at(-1) ?? {});
  }

  function ownAnswer(what: string, { customer, id, body }: Request): Response | undefined {
    const { lines, wishes, orders, addresses } = customer;
    const changed = () => {
      customer.version += 1;
      return json(cartOf(customer));
    };
    switch (what) {
      case "GET /auth/profile":
      case "PUT /auth/profile":
        return json({ id: customer.id, phone_number: customer.phone, ...body });
      case "POST /auth/logout":
        // Every device's: the real shop counts the session's epoch up.
        tokens.forEach((of, token) => of === customer && tokens.delete(token));
        return json({ success: true });
      case "GET /cart":
        return json(cartOf(customer));
      case "DELETE /cart":
        lines.clear();
        return changed();
      case "POST /cart/items":
      case "POST /wishlist/items/#/move-to-cart":
        wishes.delete(id);
        put(customer, [body as unknown as Items[0]], false);
        return changed();
      case "POST /cart/merge":
        put(customer, body["items"] as Items, shop.mergesMax || body["strategy"] === "max");
        return changed();
      case "PUT /cart/items/#":
        if (!lines.has(id)) return problem(404, "not_found");
        if (body["quantity"] === 0) lines.delete(id);
        else lines.set(id, Number(body["quantity"]));
        return changed();
      case "GET /wishlist":
        return json(wishlistOf(customer));
      case "POST /wishlist/items":
        wishes.add(Number(body["product_id"]));
        return json(wishlistOf(customer));
      case "DELETE /wishlist/items/#":
        wishes.delete(id);
        return json(wishlistOf(customer));
      case "DELETE /wishlist":
        wishes.clear();
        return json(wishlistOf(customer));
      case "POST /orders": {
        if (lines.size === 0) return problem(409, "cart_empty");
        const order = orderOf(customer, body);
        orders.push(order);
        lines.clear();
        customer.version += 1;
        return json(order, 201);
      }
      case "GET /profile/orders":
        return json({ orders: [...orders].reverse(), total: orders.length, has_more: false });
      case "GET /profile/orders/#": {
        const order = orders.find((one) => one.id === id);
        return order && json({ success: true, order });
      }
      case "POST /profile/orders/#/cancel": {
        const order = orders.find((one) => one.id === id);
        if (order) order.status = "cancelled";
        return order && json({ success: true, order_id: id, status: order.status });
      }
      case "GET /profile/addresses":
        return json({ addresses, total: addresses.length });
      case "POST /profile/addresses": {
        const address = { id: addresses.length + 1, title: "Address", is_default: false, ...body };
        addresses.push(address as Schemas["Address"]);
        return json(address, 201);
      }
    }
    return undefined;
  }

  function put({ lines }: Customer, items: Items, isMax: boolean): void {
    for (const { sku_id, quantity } of items) {
      const had = lines.get(sku_id) ?? 0;
      lines.set(sku_id, isMax ? Math.max(had, quantity) : had + quantity);
    }
  }

  /** The real shop counts in minor units; so does this one, to two decimals. */
  function lineOf(sku_id: number, quantity: number): Schemas["CartItem"] {
    const product = products.find(({ skus }) => skus.some((sku) => sku.id === sku_id));
    const sku = product?.skus.find((one) => one.id === sku_id);
    const price = sku?.price ?? 1;
    return {
      id: sku_id,
      sku_id,
      product_id: product?.id ?? sku_id,
      sku_code: `SKU-${sku_id}`,
      name: product?.name ?? `Product ${sku_id}`,
      size: sku?.size ?? null,
      color: sku?.color ?? null,
      image: null,
      quantity,
      price,
      line_total: sum([[price, quantity]]),
      original_price: null,
      available: true,
    };
  }

  function linesOf(customer: Customer): Schemas["CartItem"][] {
    return [...customer.lines].map(([sku, quantity]) => lineOf(sku, quantity));
  }

  function cartOf(customer: Customer): Schemas["Cart"] {
    const items = linesOf(customer);
    return {
      id: customer.id,
      user_id: customer.id,
      version: customer.version,
      currency: CURRENCY,
      items,
      total_items: items.reduce((all, line) => all + line.quantity, 0),
      total_price: sum(items.map((line) => [line.price, line.quantity])),
      notices: [],
      updated_at: null,
    };
  }

  function wishlistOf(customer: Customer): Schemas["Wishlist"] {
    const items = [...customer.wishes].map((id) => {
      const product = products.find((one) => one.id === id);
      const { name, price } = productOf(product ?? { id, name: `Product ${id}`, skus: [] });
      const wished = { id, name, price, brand: null, image: null, original_price: null };
      return { id, product_id: id, product: { ...wished, available: true }, added_at: NOW() };
    });
    return { id: customer.id, user_id: customer.id, items, total_items: items.length };
  }

  function orderOf(customer: Customer, form: Record<string, unknown>): Schemas["Order"] {
    const items = linesOf(customer);
    const subtotal = sum(items.map((line) => [line.price, line.quantity]));
    const id = 1001 + [...customers.values()].reduce((all, { orders }) => all + orders.length, 0);
    return {
      id,
      order_number: `#${id}`,
      status: "pending",
      subtotal,
      shipping_cost: 0,
      tax_amount: 0,
      total_amount: subtotal,
      currency: CURRENCY,
      customer_name: "",
      customer_phone: customer.phone,
      customer_email: null,
      delivery_address: "",
      delivery_city: null,
      delivery_notes: null,
      payment_method: "",
      ...form,
      order_date: NOW(),
      delivery_date: null,
      items_count: items.length,
      items: items.map(({ name, price, line_total, ...line }) => ({
        ...line,
        product_name: name,
        unit_price: price,
        total_price: line_total,
      })),
      history: [{ status: "pending", at: NOW() }],
    };
  }

  return shop;
}

function newCustomer(id: number): Customer {
  const own = { lines: new Map<number, number>(), wishes: new Set<number>() };
  return { id, phone: "", version: 0, ...own, orders: [], addresses: [] };
}

function tagOf(customer: Customer): string {
  return `"${customer.version}-0"`;
}

/** Prices times quantities, added up in minor units. */
function sum(pieces: readonly (readonly [number, number])[]): number {
  return pieces.reduce((all, [price, count]) => all + Math.round(price * 100) * count, 0) / 100;
}

function productOf({ id, name, category, skus }: FakeProduct): Schemas["ProductPage"] {
  const shared = { original_price: null, image: null };
  return {
    id,
    name,
    brand: null,
    category: category ?? null,
    description: null,
    price: Math.min(...skus.map((sku) => sku.price), Number.MAX_SAFE_INTEGER),
    currency: CURRENCY,
    available: true,
    ...shared,
    skus: skus.map((sku) => ({
      id: sku.id,
      sku_code: `SKU-${sku.id}`,
      size: sku.size ?? null,
      color: sku.color ?? null,
      price: sku.price,
      stock_status: "in_stock",
      ...shared,
    })),
  };
}
