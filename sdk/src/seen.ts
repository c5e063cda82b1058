// What this page has read of the catalogue, so that a new line or wish can be shown before the server
// has answered.

import type { LineDetails, Product, ProductPage, WishedProduct } from "./types.js";

/** Bounds the memory of a page that shows the whole catalogue. */
const KEPT_MAX = 1000;

/** Products and SKUs that were read. */
export class Seen {
  readonly #skus = new Map<number, LineDetails>();
  readonly #products = new Map<number, WishedProduct>();

  product(product: Product): void {
    const { id, name, brand, image, price, original_price, available } = product;
    keep(this.#products, id, { id, name, brand, image, price, original_price, available });
  }

  page(page: ProductPage): void {
    this.product(page);
    const { id: product_id, name, currency } = page;
    for (const { id, sku_code, size, color, price, original_price, image } of page.skus) {
      const sku = { product_id, name, currency, sku_code, size, color, price, original_price };
      keep(this.#skus, id, { ...sku, image: image ?? page.image, available: true });
    }
  }

  /** Notes that a SKU is no longer offered. */
  gone(skuId: number): void {
    keep(this.#skus, skuId, { ...this.#skus.get(skuId), available: false });
  }

  /** What was read of a SKU. */
  sku(skuId: number): LineDetails | undefined {
    return this.#skus.get(skuId);
  }

  line(skuId: number, details?: LineDetails): LineDetails {
    return { ...this.#skus.get(skuId), ...details };
  }

  wish(productId: number, product?: Partial<WishedProduct>): Partial<WishedProduct> {
    return { ...this.#products.get(productId), ...product };
  }
}

function keep<T>(map: Map<number, T>, id: number, value: T): void {
  map.delete(id);
  map.set(id, value);
  if (map.size > KEPT_MAX) for (const oldest of map.keys()) return void map.delete(oldest);
}
