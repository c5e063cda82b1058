// One address that buys: `POST /buy` with {phone, code, sku_id} signs in, orders that SKU, and signs nobody
// out. Each request has a client of its own, so that no visitor meets another's session.

import { createClient, isEvercartError } from "evercart";

interface Environment {
  SHOP_URL: string;
}

interface Wanted {
  phone: string;
  code: string;
  sku_id: number;
}

export default {
  async fetch(request: Request, { SHOP_URL }: Environment): Promise<Response> {
    // A worker may not start a request of its own after the answer: no live updates.
    const shop = createClient({ url: SHOP_URL, market: "us", live: "off" });
    try {
      if (request.method === "GET") {
        const { products } = await shop.products.search({ limit: 3 });
        const pages = await Promise.all(products.map(({ id }) => shop.products.get(id)));
        return Response.json(pages.map(({ name, skus }) => ({ name, sku_id: skus[0].id })));
      }
      const { phone, code, sku_id }: Wanted = await request.json();
      await shop.auth.verifyCode(phone, code);
      const order = await shop.orders.orderItems([{ sku_id }], {
        customer_name: "Ada",
        delivery_address: "1 Main Street",
        payment_method: "card",
      });
      return Response.json({ order: order.order_number }, { status: 201 });
    } catch (error) {
      if (!isEvercartError(error)) throw error;
      return Response.json(error, { status: error.status || 502 });
    } finally {
      shop.close();
    }
  },
};
