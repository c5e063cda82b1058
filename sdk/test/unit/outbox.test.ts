// What becomes of a change: kept, sent again with its key, refused and taken back.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Refusal } from "../../src/index.js";
import { client, closeAll, pieces, until } from "../support/clients.js";
import { fakeShop, type FakeShop, problem } from "../../src/testing.js";
import { webStorage } from "../support/web-storage.js";

let shop: FakeShop;
beforeEach(() => {
  shop = fakeShop();
});
afterEach(() => {
  closeAll();
  vi.useRealTimers();
});

const HOUR = 3600_000;
const keysOf = (what: string) =>
  shop.asked.filter((each) => each.what === what).map((each) => each.key);

async function signedIn(options: Parameters<typeof client>[1] = {}) {
  const made = client("", { fetch: shop.fetch, ...options });
  await made.auth.verifyCode("+1", "123456");
  return made;
}

test("a change is in storage when the call returns, before anything is sent", async () => {
  const storage = webStorage();
  const mine = await signedIn({ storage });
  const asked = shop.asked.length;
  void mine.cart.add(42, 2);
  expect(shop.asked).toHaveLength(asked);
  const kept = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  expect(kept.filter((name) => name.startsWith("evercart:us:queue:"))).toHaveLength(1);
});

test("an add whose answer is lost is sent again with the same key, and counts once", async () => {
  const mine = await signedIn();
  let losses = 3;
  shop.instead = (path, _, when) => {
    if (path !== "/cart/items" || when === "before" || losses === 0) return undefined;
    losses -= 1;
    return new TypeError("connection reset");
  };
  await mine.cart.add(42, 2);
  expect(await mine.sync(2000)).toBe(0);
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 2 });
  expect(keysOf("POST /cart/items")).toHaveLength(4);
  expect(new Set(keysOf("POST /cart/items")).size).toBe(1);
});

test.each([
  [429, "rate_limited"],
  [503, "overloaded"],
])("%i is not asked again before Retry-After", async (status, code) => {
  const mine = await signedIn();
  let isFirst = true;
  shop.instead = (path, _, when) => {
    if (path !== "/cart/items" || when === "after" || !isFirst) return undefined;
    isFirst = false;
    return problem(status, code, { "Retry-After": "1" });
  };
  const cart = await mine.cart.add(42);
  expect(cart).toMatchObject({ pending: 1, items: [{ sku_id: 42, pending: true }] });
  // Neither another add nor a nudge shortens the rest that the server asked for.
  void mine.cart.add(42);
  await mine.sync();
  expect(await mine.sync(3000)).toBe(0);
  const [first, second] = shop.asked.filter((each) => each.what === "POST /cart/items");
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 2 });
});

test("a call that somebody waits for is retried, too, with one key", async () => {
  const mine = await signedIn();
  let failures = 2;
  shop.instead = (path, init, when) => {
    if (path !== "/auth/profile" || init.method !== "PUT" || when === "after" || failures === 0)
      return undefined;
    failures -= 1;
    return problem(503, "store_unavailable", { "Retry-After": "0" });
  };
  await mine.auth.updateProfile({ full_name: "Ada" });
  expect(new Set(keysOf("PUT /auth/profile")).size).toBe(1);
  expect(keysOf("PUT /auth/profile")).toHaveLength(3);
  // It gives up on one that would take longer than a person waits.
  shop.instead = () => problem(429, "too_many_attempts", { "Retry-After": "600" });
  await expect(mine.auth.updateProfile({ full_name: "Ada" })).rejects.toMatchObject({
    code: "too_many_attempts",
    retryAfterMs: 600_000,
  });
  expect(keysOf("PUT /auth/profile")).toHaveLength(4);
});

test("what is refused after the call has resolved is taken back and told, and the rest goes on", async () => {
  const refusals: Refusal[] = [];
  const mine = await signedIn({ onRefused: (refusal) => refusals.push(refusal) });
  await mine.cart.add(42, 1);
  shop.instead = () => new TypeError("offline");
  await mine.cart.add(43, 5);
  await mine.cart.add(42, 1);
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 2, 43: 5 });
  shop.instead = (_, init, when) =>
    when === "before" && init.body?.includes("43") ? problem(409, "insufficient_stock") : undefined;
  expect(await mine.sync(2000)).toBe(0);
  expect(refusals).toMatchObject([
    { change: { kind: "add", sku_id: 43, quantity: 5 }, error: { code: "insufficient_stock" } },
  ]);
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 2 });
});

test("a refusal that is not the shop's is none: a proxy's page does not lose an add", async () => {
  const mine = await signedIn();
  const pages = [403, 404, 407, 401, 502].map(
    (status) => new Response("<h1>Proxy</h1>", { status }),
  );
  shop.instead = (path, _, when) =>
    path === "/cart/items" && when === "before" ? pages.pop() : undefined;
  await mine.cart.add(42);
  expect(await mine.sync(5000)).toBe(0);
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 1 });
  expect(mine.auth.session().status).toBe("signed_in");
});

test.each([
  ["was made", true],
  ["was not made", false],
])(
  "an add that was sent two days ago and %s counts once, though its key is forgotten",
  async (_, wasMade) => {
    vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["Date"] });
    const mine = await signedIn();
    await mine.cart.add(42, 1);
    shop.instead = (path, _init, when) =>
      path === "/cart/items" && when === (wasMade ? "after" : "before")
        ? new TypeError("gone")
        : undefined;
    await mine.cart.add(42, 2);
    shop.instead = () => new TypeError("offline");
    vi.setSystemTime(Date.now() + 48 * HOUR);
    shop.forgetKeys();
    shop.instead = () => undefined;
    expect(await mine.sync(2000)).toBe(0);
    expect(Object.fromEntries(shop.lines)).toEqual({ 42: 3 });
  },
);

test("where the storage fails, the client works on and says so", async () => {
  const failures: unknown[] = [];
  const mine = await signedIn({
    storage: webStorage(120),
    onStorageError: (error) => failures.push(error),
  });
  await mine.cart.add(42);
  await mine.cart.add(43);
  expect(await mine.sync(2000)).toBe(0);
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 1, 43: 1 });
  expect(failures.length).toBeGreaterThan(0);
});

test("a network that is slow to fail keeps no caller waiting", async () => {
  const mine = await signedIn({ retry: { baseMs: 1, capMs: 5, timeoutMs: 50 } });
  shop.instead = () => undefined;
  const hanging = client("", {
    storage: webStorage(),
    retry: { timeoutMs: 50, baseMs: 1, capMs: 5 },
    fetch: (input, init) =>
      input === "/cart/items"
        ? new Promise((_, reject) =>
            init.signal?.addEventListener("abort", () => {
              reject(new Error("aborted"));
            }),
          )
        : shop.fetch(input, init),
  });
  await hanging.auth.verifyCode("+1", "123456");
  expect((await hanging.cart.add(42)).pending).toBe(1);
  await expect(mine.products.search({}, AbortSignal.abort())).rejects.toMatchObject({
    code: "aborted",
  });
});

test("what was added while the server answered is not lost behind it", async () => {
  const mine = await signedIn();
  const adds = Array.from({ length: 50 }, () => mine.cart.add(42));
  await until("the first", () => shop.lines.size > 0);
  adds.push(...Array.from({ length: 50 }, () => mine.cart.add(43)));
  await Promise.all(adds);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 50, 43: 50 });
  expect(mine.pending).toBe(0);
});

test("a change that the server fails on is never given up", async () => {
  const mine = await signedIn();
  let failures = 60;
  shop.instead = (path, _, when) =>
    path === "/cart/items" && when === "before" && failures-- > 0
      ? problem(500, "internal_error")
      : undefined;
  await mine.cart.add(42);
  expect(await mine.sync(5000)).toBe(0);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 1 });
});

test.each([-HOUR, HOUR])("a clock that is set by %i ms holds nothing up", async (by) => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["Date"] });
  const mine = await signedIn();
  let isFirst = true;
  shop.instead = (path, _, when) => {
    if (path !== "/cart/items" || when === "after" || !isFirst) return undefined;
    isFirst = false;
    return problem(503, "overloaded", { "Retry-After": "0" });
  };
  await mine.cart.add(42);
  vi.setSystemTime(Date.now() + by);
  await until("the next try", () => shop.lines.get(42) === 1, 3000);
});

test("an add of which nobody knows whether it was made is told, and not made twice", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["Date"] });
  const refusals: Refusal[] = [];
  const mine = await signedIn({ onRefused: (refusal) => refusals.push(refusal) });
  await mine.cart.add(42, 1);
  shop.instead = () => new TypeError("gone");
  await mine.cart.add(42, 2);
  vi.setSystemTime(Date.now() + 48 * HOUR);
  // Another device adds as many meanwhile.
  shop.lines.set(42, 3);
  shop.version += 1;
  shop.instead = () => undefined;
  expect(await mine.sync(2000)).toBe(0);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 3 });
  expect(refusals).toMatchObject([
    { change: { kind: "add", quantity: 2 }, error: { code: "version_conflict" } },
  ]);
});

test("a wishlist that cannot be read at first is read later", async () => {
  const mine = await signedIn();
  let failures = 5;
  shop.instead = (path, _, when) => {
    if (path !== "/wishlist" || when === "after") return undefined;
    failures -= 1;
    return failures > 0
      ? problem(500, "internal_error")
      : new Response(JSON.stringify({ id: 1, user_id: 1, items: [], total_items: 0 }));
  };
  mine.wishlist.subscribe(() => undefined);
  await until("the wishlist", () => mine.wishlist.snapshot().loaded);
});

test("methods may be taken out of their objects, and a client without a url says so", async () => {
  /* eslint-disable @typescript-eslint/unbound-method -- that they may is what is tried */
  const { cart, sync } = await signedIn();
  const { add, snapshot } = cart;
  /* eslint-enable @typescript-eslint/unbound-method */
  await add(42);
  expect(await sync(2000)).toBe(0);
  expect(pieces(snapshot())).toEqual({ 42: 1 });
  expect(() => client(undefined as unknown as string)).toThrow(/needs a url/);
});

test("a guest's lines are shown as the catalogue has them now", async () => {
  const storage = webStorage();
  const before = client("", { fetch: shop.fetch, storage });
  const linen = { product_id: 15, name: "Linen Shirt", price: 10, currency: "USD" };
  await before.cart.add(42, 2, linen);
  await before.cart.add(43, 1, linen);
  await before.cart.add(7, 1, { product_id: 3, name: "Gone", price: 5, currency: "USD" });
  before.close();
  shop.instead = (path, _, when) => {
    if (when === "after") return undefined;
    if (path === "/products/3") return problem(404, "not_found");
    if (path !== "/products/15") return undefined;
    const sku = { id: 42, sku_code: "LIN-M", size: "M", color: null, price: 12.5, image: null };
    const product = { id: 15, name: "Linen shirt, washed", currency: "USD", image: "/linen.webp" };
    return new Response(JSON.stringify({ ...product, skus: [{ ...sku, original_price: 20 }] }));
  };
  const now = client("", { fetch: shop.fetch, storage });
  const cart = await now.cart.get();
  expect(cart).toMatchObject({
    total_price: 40,
    items: [
      { sku_id: 42, name: "Linen shirt, washed", size: "M", price: 12.5, line_total: 25 },
      { sku_id: 43, name: "Linen Shirt", available: false },
      { sku_id: 7, name: "Gone", available: false },
    ],
  });
  // What cannot be asked is shown as it was.
  shop.instead = () => new TypeError("offline");
  expect((await now.cart.get()).total_price).toBe(40);
});
