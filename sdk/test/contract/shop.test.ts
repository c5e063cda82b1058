// Every call of the package, once, against the real server.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isEvercartError, quote, type Fetch } from "../../src/index.js";
import { client, closeAll, newPhone, pieces, signIn } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";

const CHECKOUT = {
  customer_name: "Ada",
  delivery_address: "1 Main Street",
  payment_method: "card",
};

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

describe("signing in", () => {
  test("a customer signs in, is known, changes the profile, and logs out everywhere", async () => {
    const [phone, tablet] = [client(server.url), client(server.url)];
    const number = await signIn(phone);
    await signIn(tablet, number);
    expect(phone.auth.session()).toMatchObject({ status: "signed_in", user: { phone: number } });
    expect((await phone.auth.updateProfile({ full_name: "Ada Lovelace" })).full_name).toBe(
      "Ada Lovelace",
    );
    expect((await tablet.auth.profile()).name).toBe("Ada Lovelace");
    expect(await phone.auth.logout()).toEqual({ server: "done" });
    expect(phone.auth.session()).toEqual({ status: "guest", user: null });
    await expect(tablet.auth.profile()).rejects.toMatchObject({ code: "signed_out", status: 401 });
    expect(tablet.auth.session().status).toBe("guest");
  });

  test("a wrong code is refused and ends no session", async () => {
    const shop = client(server.url);
    const phone = await signIn(shop);
    await expect(shop.auth.verifyCode(phone, "000000")).rejects.toMatchObject({
      code: "code_invalid",
    });
    expect(shop.auth.session().status).toBe("signed_in");
  });

  test("the markets are listed", async () => {
    const { markets } = await client(server.url).auth.markets();
    expect(markets.map(({ market }) => market)).toEqual(["us", "kg"]);
  });
});

describe("the cart", () => {
  test("lines are added to, set, removed and cleared by their SKU", async () => {
    const { cart, ...shop } = signedIn(await one());
    expect(pieces(await cart.add(42, 2))).toEqual({ 42: 2 });
    expect(pieces(await cart.add(42))).toEqual({ 42: 3 });
    expect(pieces(await cart.setQuantity(28, 2))).toEqual({ 42: 3, 28: 2 });
    expect(pieces(await cart.setQuantity(42, 1))).toEqual({ 42: 1, 28: 2 });
    expect(pieces(await cart.remove(28))).toEqual({ 42: 1 });
    expect(pieces(await cart.remove(28))).toEqual({ 42: 1 });
    const merged = await cart.merge([
      { sku_id: 42, quantity: 3 },
      { sku_id: 424242, quantity: 1 },
    ]);
    expect(pieces(merged)).toEqual({ 42: 3 });
    expect(merged.skipped).toEqual([{ sku_id: 424242, reason: "not_found" }]);
    expect(await cart.clear()).toMatchObject({
      items: [],
      total_items: 0,
      total_price: 0,
      pending: 0,
    });
    expect(shop.pending()).toBe(0);
  });

  test("what the server refuses is thrown with its facts, and is no longer shown", async () => {
    const shop = await one();
    await shop.cart.add(42, 2);
    const error: unknown = await shop.cart.add(1, 900).catch((thrown: unknown) => thrown);
    expect(isEvercartError(error, "insufficient_stock")).toBe(true);
    if (isEvercartError(error, "insufficient_stock")) expect(error.facts.available).toBe(281);
    expect(pieces(shop.cart.snapshot())).toEqual({ 42: 2 });
    await expect(shop.cart.add(424242)).rejects.toMatchObject({ code: "not_found", status: 404 });
    await expect(shop.cart.add(42, 1000)).rejects.toMatchObject({
      code: "validation_failed",
      errors: [{ field: "quantity" }],
    });
  });

  test("a change made while the token was dropped is sent at the next sign-in", async () => {
    const [here, there] = [client(server.url), client(server.url)];
    const phone = await signIn(here);
    await signIn(there, phone);
    await there.auth.logout();
    const kept = await here.cart.add(42, 2);
    expect(kept.items).toEqual([]);
    await signIn(here, phone);
    expect(await here.sync(2000)).toBe(0);
    expect(pieces(here.cart.snapshot())).toEqual({ 42: 2 });
  });
});

describe("the wishlist", () => {
  test("products are wished, moved to the cart and taken off", async () => {
    const shop = await one();
    expect((await shop.wishlist.add(15)).items).toHaveLength(1);
    expect((await shop.wishlist.add(15)).items).toHaveLength(1);
    await shop.wishlist.add(3);
    expect(pieces(await shop.wishlist.moveToCart(15, 42, 2))).toEqual({ 42: 2 });
    expect(shop.wishlist.snapshot().items.map((item) => item.product_id)).toEqual([3]);
    expect((await shop.wishlist.remove(3)).items).toEqual([]);
    await shop.wishlist.add(3);
    expect((await shop.wishlist.clear()).total_items).toBe(0);
    expect((await shop.wishlist.get()).total_items).toBe(0);
  });
});

describe("orders", () => {
  test("pressed twice, a checkout is one order, and the cart is empty", async () => {
    const shop = await one();
    await shop.cart.add(42);
    const [first, second] = await Promise.all([
      shop.orders.checkout(CHECKOUT),
      shop.orders.checkout(CHECKOUT),
    ]);
    expect(first.id).toBe(second.id);
    expect(shop.cart.snapshot()).toMatchObject({ items: [], pending: 0 });
    const page = await shop.orders.list();
    expect(page).toMatchObject({ total: 1, has_more: false, orders: [{ id: first.id }] });
    expect((await shop.orders.get(first.id)).order_number).toBe(first.order_number);
    expect((await shop.orders.cancel(first.id)).status).toBe("cancelled");
    expect((await shop.orders.list({ status: "cancelled", limit: 1 })).total).toBe(1);
    await expect(shop.orders.cancel(first.id)).rejects.toMatchObject({
      code: "order_not_cancellable",
    });
  });

  test("items are ordered past the cart, once", async () => {
    const shop = await one();
    await shop.cart.add(42, 2);
    const items = [{ sku_id: 28 }, { sku_id: 28, quantity: 1 }];
    const [first, second] = await Promise.all([
      shop.orders.orderItems(items, CHECKOUT),
      shop.orders.orderItems(items, CHECKOUT),
    ]);
    expect(first.id).toBe(second.id);
    expect(first.items).toMatchObject([{ sku_id: 28, quantity: 2 }]);
    expect(pieces(await shop.cart.get())).toEqual({ 42: 2 });
    await expect(
      shop.orders.orderItems([{ sku_id: 42, quantity: 999_999 }], CHECKOUT),
    ).rejects.toMatchObject({ code: "validation_failed" });
    // Pressed again after the answer, it is another order.
    expect((await shop.orders.orderItems(items, CHECKOUT)).id).not.toBe(first.id);
    expect((await shop.orders.list()).total).toBe(2);
  });

  test("an order of items whose answer was lost is found by the next try", async () => {
    let losesOrders = true;
    const shop = client(server.url, {
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (losesOrders && input.endsWith("/orders")) throw new TypeError("lost");
        return response;
      },
      retry: { baseMs: 1, capMs: 5, patienceMs: 50 },
    });
    await signIn(shop);
    const items = [{ sku_id: 42 }];
    await expect(shop.orders.orderItems(items, CHECKOUT)).rejects.toMatchObject({
      code: "network",
    });
    losesOrders = false;
    const order = await shop.orders.orderItems(items, CHECKOUT);
    expect(await shop.orders.list()).toMatchObject({ total: 1, orders: [{ id: order.id }] });
  });

  test("a checkout that comes too late is told which order emptied the cart", async () => {
    const [here, there] = [client(server.url), client(server.url)];
    const phone = await signIn(here);
    await signIn(there, phone);
    await here.cart.add(42);
    const order = await here.orders.checkout(CHECKOUT);
    const late: unknown = await there.orders.checkout(CHECKOUT).catch((thrown: unknown) => thrown);
    expect(late).toMatchObject({ code: "cart_empty" });
    if (isEvercartError(late, "cart_empty"))
      expect(late.facts).toEqual({ order_id: order.id, order_number: order.order_number });
  });

  test.each([false, true])(
    "a checkout whose answer was lost with the page is found by the next one (looks first: %s)",
    async (looksFirst) => {
      const storage = new Map<string, string>();
      const kept = {
        getItem: (key: string) => storage.get(key) ?? null,
        setItem: (key: string, value: string) => storage.set(key, value),
        removeItem: (key: string) => storage.delete(key),
      };
      let losesOrders = false;
      const lossy: Fetch = async (input, init) => {
        const response = await fetch(input, init);
        if (losesOrders && input.endsWith("/orders")) throw new TypeError("the page is gone");
        return response;
      };
      const before = client(server.url, {
        storage: kept,
        fetch: lossy,
      });
      await signIn(before);
      await before.cart.add(42);
      losesOrders = true;
      await expect(before.orders.checkout(CHECKOUT)).rejects.toMatchObject({ code: "network" });
      before.close();

      const after = client(server.url, { storage: kept });
      if (looksFirst) expect((await after.cart.get()).items).toEqual([]);
      const order = await after.orders.checkout(CHECKOUT);
      expect(await after.orders.list()).toMatchObject({ total: 1, orders: [{ id: order.id }] });
      // The next cart is another order, though the form says the same.
      await after.cart.add(42);
      expect((await after.orders.checkout(CHECKOUT)).id).not.toBe(order.id);
    },
  );

  test("what it will cost is known before, to the cent, and is what it costs", async () => {
    const shop = await one();
    const { markets } = await shop.auth.markets();
    const [us, kg] = markets;
    if (!us || !kg) throw new Error("The demo has two markets.");
    expect(us.shipping).toEqual({ flat: 9.99, free_from: 75 });
    expect(kg.shipping).toEqual({ flat: 150, free_from: 5000 });
    const sums: number[] = [];
    for (const quantity of [1, 2]) {
      const due = quote(await shop.cart.add(42, quantity), us);
      const expected_total = due.total_amount;
      const order = await shop.orders.checkout({ ...CHECKOUT, expected_total });
      const { subtotal, shipping_cost, total_amount } = order;
      expect({ subtotal, shipping_cost, total_amount }).toEqual(due);
      sums.push(shipping_cost, total_amount);
    }
    expect(sums).toEqual([9.99, 69.98, 0, 119.98]);
    const never = { shipping: { flat: 0.1, free_from: null } };
    // As decimals, not as binary floats: 0.2 + 0.1 is 0.3.
    expect(quote({ total_price: 0.2 }, never).total_amount).toBe(0.3);
  });

  test("a guest's cart is not ordered: nobody is signed in", async () => {
    const guest = client(server.url);
    await guest.cart.add(42);
    await expect(guest.orders.checkout(CHECKOUT)).rejects.toMatchObject({
      code: "not_authenticated",
    });
  });

  test("nothing is ordered while changes of the cart wait, and a changed price is told", async () => {
    let isUp = true;
    const shop = client(server.url, {
      fetch: (input, init) =>
        isUp ? fetch(input, init) : Promise.reject(new TypeError("offline")),
      retry: { baseMs: 1, capMs: 5, patienceMs: 50 },
    });
    await signIn(shop);
    isUp = false;
    await shop.cart.add(42);
    await expect(shop.orders.checkout(CHECKOUT)).rejects.toMatchObject({ code: "offline" });
    isUp = true;
    const cheap = { ...CHECKOUT, expected_total: 1 };
    await expect(shop.orders.checkout(cheap)).rejects.toMatchObject({
      code: "price_changed",
      facts: { expected: 1 },
    });
    expect(pieces(await shop.cart.get())).toEqual({ 42: 1 });
  });
});

test("addresses are stored, changed and removed, and one is the default", async () => {
  const { addresses } = await one();
  const home = await addresses.add({ full_address: "233 S Wacker Dr, Chicago", title: "Home" });
  const work = await addresses.add({ full_address: "1 Main Street", is_default: true });
  expect((await addresses.update(home.id, { title: "Old home" })).title).toBe("Old home");
  expect((await addresses.list()).map((each) => each.id)).toEqual([work.id, home.id]);
  await addresses.remove(work.id);
  expect(await addresses.list()).toMatchObject([{ id: home.id, is_default: true }]);
});

test("products are searched, paged and read, without signing in", async () => {
  const { products } = client(server.url);
  const found = await products.search({ search: "linen", limit: 2 });
  expect(found).toMatchObject({ total: 3, has_more: true, products: [{}, {}] });
  const all: number[] = [];
  for await (const product of products.all({ limit: 10 })) all.push(product.id);
  expect(new Set(all).size).toBe((await products.search()).total);
  const shirt = await products.get(15);
  expect(shirt.skus.map((sku) => sku.id)).toContain(42);
  const [category] = await products.categories();
  expect((await products.search({ category: category?.name })).total).toBe(category?.products);
  await expect(products.get(424242)).rejects.toMatchObject({ code: "not_found" });
});

async function one(): Promise<ReturnType<typeof client>> {
  const shop = client(server.url);
  await signIn(shop, newPhone());
  return shop;
}

function signedIn(shop: ReturnType<typeof client>) {
  return { cart: shop.cart, pending: () => shop.pending };
}
