// The catalogue: what a market sells. No token needed.

import type { Core } from "./core.js";
import type { Seen } from "./seen.js";
import type { Category, ProductPage, Products as Page, Product } from "./types.js";

/** Which products. */
export interface ProductQuery {
  readonly search?: string | undefined;
  readonly category?: string | undefined;
  /** 1 to 100; 20 if left out. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** The catalogue. */
export class Products {
  readonly #core: Core;
  readonly #seen: Seen;

  /** @internal */
  constructor(core: Core, seen: Seen) {
    this.#core = core;
    this.#seen = seen;
  }

  /** Some of the products for sale; `total` says how many match, `has_more` whether there are more. */
  async search(query: ProductQuery = {}, signal?: AbortSignal): Promise<Page> {
    const { search, category, limit, offset } = query;
    const page = await this.#core.open({
      path: "/products",
      query: { search, category, limit, offset },
      signal,
    });
    page.products.forEach((product) => {
      this.#seen.product(product);
    });
    return page;
  }

  /** All matching products, page by page: `for await (const product of products.all({category}))`. */
  async *all(
    query: ProductQuery = {},
    signal?: AbortSignal,
  ): AsyncGenerator<Product, void, undefined> {
    const limit = query.limit ?? 100;
    for (let offset = query.offset ?? 0; ; offset += limit) {
      const page = await this.search({ ...query, limit, offset }, signal);
      yield* page.products;
      if (!page.has_more || page.products.length === 0) return;
    }
  }

  /** One product with what can be bought of it. */
  async get(id: number, signal?: AbortSignal): Promise<ProductPage> {
    const product = await this.#core.open({
      path: `/products/${id}`,
      signal,
    });
    this.#seen.page(product);
    return product;
  }

  /** The categories that have products for sale. */
  async categories(signal?: AbortSignal): Promise<Category[]> {
    const answer = await this.#core.open({
      path: "/categories",
      signal,
    });
    return answer.categories;
  }
}
