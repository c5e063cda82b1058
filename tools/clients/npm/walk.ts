// Signs in, fills a cart, watches it and orders it with what hey-api made; the shop is in SHOP_URL.

import assert from "node:assert/strict";
import {
  addItem,
  cartEvents,
  checkout,
  getCart,
  getProduct,
  listProducts,
  sendCode,
  verifyCode,
  type Problem,
} from "./generated";
import { client } from "./generated/client.gen";

const phone = "+13125551903";
let token: string | undefined;
client.setConfig({ baseUrl: process.env.SHOP_URL, auth: () => token });

const wrong = await verifyCode({
  body: { phone, verification_code: "000000" },
  headers: { "X-Market": "us" },
});
assert.equal(wrong.error?.code, "code_invalid");
const sent = await sendCode({ body: { phone } });
const code = sent.data?.demo_code ?? "";
const signedIn = await verifyCode({ body: { phone, verification_code: code } });
token = signedIn.data?.access_token;

const market = { "X-Market": "us" };
const found = await listProducts({ query: { limit: 1 }, headers: market });
const product = await getProduct({ path: { id: found.data!.products[0].id }, headers: market });
const [sku] = product.data!.skus;
const cart = await addItem({
  body: { sku_id: sku.id, quantity: 2 },
  headers: { "Idempotency-Key": "a" },
});
assert.equal(cart.data?.total_items, 2);
const refused = await addItem({ body: { sku_id: sku.id, quantity: 900 } });
const problem: Problem | undefined = refused.error;
assert.equal(problem?.code, "insufficient_stock");
assert.equal(problem.sku_id, sku.id);
assert.equal(typeof problem.available, "number");

// The stream begins with the cart as it is.
const events = await cartEvents();
for await (const event of events.stream) {
  assert.equal((event as { total_items?: number }).total_items, 2);
  break;
}

const body = {
  customer_name: "Ada",
  delivery_address: "1 Main Street",
  payment_method: "card",
};
const order = await checkout({ body, headers: { "Idempotency-Key": "order" } });
const again = await checkout({ body, headers: { "Idempotency-Key": "order" } });
assert.equal(order.data?.status, "pending");
assert.equal(order.data.id, again.data?.id);
assert.equal((await getCart()).data?.total_items, 0);
console.log(`hey-api: order ${order.data.order_number}`);
process.exit(0);
