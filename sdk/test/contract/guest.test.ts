// What a guest collects becomes the customer's at sign-in, once, whatever happens in between.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { memoryStorage, type Fetch, type Refusal } from "../../src/index.js";
import { client, closeAll, newPhone, pieces, signIn, until } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";
import { webStorage } from "../support/web-storage.js";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

test("a guest's cart is on this device, with what was seen of the products", async () => {
  const storage = webStorage();
  const shop = client(server.url, { storage });
  await shop.products.get(15);
  await shop.cart.add(42, 2);
  await shop.cart.setQuantity(42, 3);
  await shop.cart.add(28, 1, { name: "Something", price: 0.1, currency: "USD" });
  await shop.cart.add(28, 2);
  expect(shop.cart.snapshot()).toMatchObject({
    loaded: true,
    currency: "USD",
    total_items: 6,
    total_price: 180.27,
    items: [
      { sku_id: 42, name: "Relaxed Linen Shirt", quantity: 3, price: 59.99, line_total: 179.97 },
      { sku_id: 28, name: "Something", quantity: 3, line_total: 0.3 },
    ],
  });
  shop.close();
  const next = client(server.url, { storage });
  expect(pieces(next.cart.snapshot())).toEqual({ 42: 3, 28: 3 });
  await next.cart.clear();
  expect(next.cart.snapshot().items).toEqual([]);
});

test("it is merged at sign-in, where the larger quantity counts, and the wishes come along", async () => {
  const phone = newPhone();
  const before = client(server.url);
  await signIn(before, phone);
  await before.cart.merge([
    { sku_id: 42, quantity: 2 },
    { sku_id: 28, quantity: 1 },
  ]);

  const shop = client(server.url);
  await shop.cart.add(42);
  await shop.cart.add(43, 4);
  await shop.wishlist.add(15);
  await shop.wishlist.add(3);
  await signIn(shop, phone);
  expect(await shop.sync(2000)).toBe(0);
  expect(pieces(await shop.cart.get())).toEqual({ 42: 2, 28: 1, 43: 4 });
  expect((await shop.wishlist.get()).items.map((wish) => wish.product_id)).toEqual([3, 15]);

  // It is nobody's any more: the next guest of this device begins with nothing.
  await shop.auth.logout();
  expect(shop.cart.snapshot().items).toEqual([]);
});

test.each(["max", "sum"] as const)(
  "closed at any moment of a sign-in, it is merged exactly once (%s)",
  async (guestMerge) => {
    // Each run ends after one more write to the storage or request than the one before.
    let isThrough = false;
    for (let steps = 0; !isThrough; steps += 1) {
      const phone = newPhone();
      const other = client(server.url);
      await signIn(other, phone);
      await other.cart.add(42, 1);
      const { demo_code = "" } = await other.auth.sendCode(phone);

      const storage = memoryStorage();
      const guest = client(server.url, { storage, guestMerge });
      await guest.cart.add(42, 1);
      await guest.cart.add(43, 2);
      guest.close();

      let left = steps;
      const step = <T>(work: () => T): T | Promise<never> => {
        left -= 1;
        return left >= 0 ? work() : new Promise<never>(() => undefined);
      };
      const dying = client(server.url, {
        guestMerge,
        storage: {
          getItem: (key) => storage.getItem(key),
          setItem: (key, value) => step(() => storage.setItem(key, value)),
          removeItem: (key) => step(() => storage.removeItem(key)),
        },
        // The request arrives or not, and so does its answer.
        fetch: async (input, init) => {
          const response = await step(() => fetch(input, init));
          return step(() => response);
        },
      });
      const ended = dying.auth.verifyCode(phone, demo_code).then(() => dying.sync(2000));
      isThrough = await Promise.race([
        ended.then((waiting) => waiting === 0),
        pause(60 + 5 * steps),
      ]);
      dying.close();

      const after = client(server.url, { storage, guestMerge });
      if (after.auth.session().status !== "signed_in") await signIn(after, phone);
      expect(await after.sync(2000)).toBe(0);
      const wanted = guestMerge === "max" ? { 42: 1, 43: 2 } : { 42: 2, 43: 2 };
      expect(pieces(await after.cart.get()), `ended after ${steps} steps`).toEqual(wanted);
      closeAll();
      expect(steps).toBeLessThan(60);
    }
  },
);

test("what could not be had is told", async () => {
  const refusals: Refusal[] = [];
  const shop = client(server.url, { onRefused: (refusal) => refusals.push(refusal) });
  await shop.cart.add(42, 1);
  await shop.cart.add(424242, 1);
  await signIn(shop);
  await until("the merge", () => refusals.length > 0);
  expect(refusals).toMatchObject([
    { change: { kind: "merge" }, skipped: [{ sku_id: 424242, reason: "not_found" }] },
  ]);
  expect(pieces(shop.cart.snapshot())).toEqual({ 42: 1 });
});

test("a guest meets the cart's limits at once", async () => {
  const shop = client(server.url);
  await shop.cart.add(42, 999);
  await expect(shop.cart.add(42)).rejects.toMatchObject({ code: "quantity_limit" });
  expect(pieces(shop.cart.snapshot())).toEqual({ 42: 999 });
});

test("another customer of this device gets nothing of what the first one left unsent", async () => {
  let isUp = true;
  const flaky: Fetch = (input, init) =>
    isUp ? fetch(input, init) : Promise.reject(new TypeError("offline"));
  const shop = client(server.url, { fetch: flaky });
  const first = await signIn(shop);
  isUp = false;
  await shop.cart.add(42, 2);
  expect(await shop.auth.logout()).toMatchObject({
    server: "unreached",
    error: { code: "network" },
  });
  expect(shop.cart.snapshot().items).toEqual([]);
  isUp = true;
  await signIn(shop);
  expect(pieces(await shop.cart.get())).toEqual({});
  await shop.auth.logout();
  await signIn(shop, first);
  expect(await shop.sync(2000)).toBe(0);
  expect(pieces(await shop.cart.get())).toEqual({ 42: 2 });
});

function pause(ms: number): Promise<false> {
  return new Promise((resolve) =>
    setTimeout(() => {
      resolve(false);
    }, ms),
  );
}
