// What a line of the cart shows until the server has answered, of a SKU whose product is known.

import type { LineDetails, ProductPage, Sku } from "evercart";

export function lineDetails(product: ProductPage, sku: Sku): LineDetails {
  const { id: product_id, name, currency, image } = product;
  const { sku_code, size, color, price, original_price } = sku;
  const shown = { product_id, name, sku_code, size, color, price, original_price, currency };
  return { ...shown, image: sku.image ?? image };
}
