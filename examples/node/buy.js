// A customer's whole visit, as a script: look, put something into the cart, sign in, order.

import { createClient, isEvercartError } from "evercart";

const phone = process.argv[2] ?? "+13128059851";
const shop = createClient({
  url: process.env.SHOP_URL ?? "http://127.0.0.1:8080",
  market: "us",
  // Nobody watches the cart here, so nothing keeps the process alive.
  live: "off",
});

const { products } = await shop.products.search({ limit: 1 });
const { name, skus } = await shop.products.get(products[0].id);
await shop.cart.add(skus[0].id, 2);
console.log(`2 x ${name} in a guest's cart`);

// A demo says the code in the answer; a shop sends it by SMS.
const { demo_code } = await shop.auth.sendCode(phone);
const { user } = await shop.auth.verifyCode(phone, demo_code);
console.log(`signed in as customer ${user.id}; the guest's cart is theirs`);

try {
  const order = await shop.orders.checkout({
    customer_name: "Ada",
    delivery_address: "1 Main Street",
    payment_method: "card",
  });
  console.log(`order ${order.order_number} over ${order.total_amount} ${order.currency}`);
} catch (error) {
  if (!isEvercartError(error, "insufficient_stock")) throw error;
  console.log(`only ${error.facts.available} left`);
}
shop.close();
