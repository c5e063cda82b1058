// The shop in memory does what the real one does, as far as it says it does.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isEvercartError, type Client } from "../../src/index.js";
import { FAKE_CODE, fakeShop } from "../../src/testing.js";
import { client, closeAll, newPhone, pieces, signIn } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

const PRODUCTS = [
  { id: 15, name: "Linen Shirt", category: "Shirts", skus: [{ id: 42, price: 59.99 }] },
];

/** What a customer does, and what they see of it in any shop. */
async function visit(shop: Client, phone: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const code = async (work: Promise<unknown>) => {
    seen.push(
      await work.then(String, (error: unknown) => (isEvercartError(error) ? error.code : error)),
    );
  };
  await code(shop.orders.list());
  await signIn(shop, phone);
  await shop.cart.add(42, 2);
  seen.push(pieces(await shop.cart.setQuantity(42, 3)));
  const wishlist = await shop.wishlist.add(15);
  seen.push(wishlist.items.map((item) => item.product_id));
  seen.push(pieces(await shop.wishlist.moveToCart(15, 42, 1)));
  const form = { customer_name: "Ada", delivery_address: "1 Main St", payment_method: "card" };
  const order = await shop.orders.checkout(form);
  seen.push([order.status, order.items.map((item) => [item.sku_id, item.quantity])]);
  seen.push(shop.cart.snapshot().items);
  await code(shop.orders.checkout(form));
  const { orders, total } = await shop.orders.list();
  seen.push([total, orders[0]?.id === order.id]);
  await shop.orders.cancel(order.id);
  seen.push((await shop.orders.get(order.id)).status);
  const address = await shop.addresses.add({ full_address: "1 Main St", title: "Home" });
  seen.push([address.full_address, (await shop.addresses.list()).length]);
  await shop.cart.add(42, 5);
  await shop.auth.logout();
  await code(shop.orders.list());
  seen.push(shop.cart.snapshot().items);
  await signIn(shop, phone);
  seen.push(pieces(await shop.cart.get()));
  return seen;
}

test("a visit to it ends as a visit to the real shop", async () => {
  const phone = newPhone();
  const real = await visit(client(server.url), phone);
  const fake = await visit(client("", { fetch: fakeShop(PRODUCTS).fetch, live: "off" }), phone);
  expect(fake).toEqual(real);
});

test("each phone is a customer, and a code that is wrong signs nobody in", async () => {
  const { fetch, lines } = fakeShop(PRODUCTS);
  const [one, two] = [client("", { fetch }), client("", { fetch })];
  await expect(one.auth.verifyCode("+13128059851", "000000")).rejects.toThrow("code_invalid");
  await one.auth.verifyCode("+13128059851", FAKE_CODE);
  await two.auth.verifyCode("+13128059852", FAKE_CODE);
  await one.cart.add(42);
  expect((await two.cart.get()).items).toEqual([]);
  expect([...lines]).toEqual([[42, 1]]);
  const { products } = await one.products.search({ search: "linen" });
  expect(products.map(({ id, price }) => [id, price])).toEqual([[15, 59.99]]);
});
