// The start page: categories, search, and the products that match.

import type { Category, Product, Products as ProductList } from "evercart";
import { useClient } from "evercart/react";
import { useRef, useState } from "react";
import { Empty, ProductCard, Skeletons, Trouble } from "./pieces";
import { useAction } from "./action";
import { keepHere, keptHere, Link, useAddress } from "./address";
import { firstAnswer } from "./first";
import { useLoaded } from "./loaded";
import { useShop } from "./shop";
import { useTitle } from "./title";

const PAGE = 24;
/** How many a screen shows at first. The server writes them into the page in the same way. */
const FIRST = 4;
/** The most that the server gives at once. */
const PAGE_MAX = 100;

export function Browse() {
  const { t } = useShop();
  const address = useAddress();
  const search = address.searchParams.get("q") ?? undefined;
  const category = address.searchParams.get("category") ?? undefined;
  useTitle(search === undefined ? (category ?? "Evercart") : t.results(search));
  return (
    <>
      {search === undefined && category === undefined && (
        <section className="hero">
          <h1>{t.heroTitle}</h1>
          <p>{t.heroText}</p>
        </section>
      )}
      <Categories current={search === undefined ? category : null} />
      {search !== undefined && <h1>{t.results(search)}</h1>}
      {search === undefined && category !== undefined && <h1>{category}</h1>}
      <Products key={`${search}/${category}`} search={search} category={category} />
    </>
  );
}

/** What the server calls a category's first products. */
const listPath = (category: string | undefined) =>
  category === undefined ? "/products" : `/products?category=${category}`;

function Categories({ current }: { current: string | undefined | null }) {
  const { t, market } = useShop();
  const client = useClient();
  const { value } = useLoaded(
    (signal) => client.products.categories(signal),
    [market],
    true,
    firstAnswer<{ categories: readonly Category[] }>(market, "/categories")?.categories,
  );
  return (
    <nav className="chips" aria-label={t.categories}>
      <Link to="/" current={current === undefined}>
        {t.all}
      </Link>
      {value?.map(({ name }) => (
        <Link key={name} to={`/?category=${encodeURIComponent(name)}`} current={current === name}>
          {name}
        </Link>
      ))}
    </nav>
  );
}

function Products({
  search,
  category,
}: {
  search: string | undefined;
  category: string | undefined;
}) {
  const { t, market } = useShop();
  const client = useClient();
  const query = { search, category, limit: PAGE };
  // Who comes back finds as many as they left.
  const [limit] = useState(() => Math.min(PAGE_MAX, keptHere("products") ?? PAGE));
  const first = useLoaded(
    (signal) => client.products.search({ ...query, limit }, signal),
    [market, search, category],
    true,
    search === undefined ? firstAnswer<ProductList>(market, listPath(category)) : undefined,
  );
  const list = useRef<HTMLUListElement>(null);
  const [later, setLater] = useState<readonly Product[]>([]);
  const { busy, error, run } = useAction();
  if (first.error !== undefined) return <Trouble error={first.error} again={first.again} />;
  if (first.value === undefined) return <Skeletons count={8} />;
  const products = [...first.value.products, ...later];
  const { total } = first.value;
  if (total === 0) return <Empty isPart title={t.nothingFound} text={t.nothingFoundHelp} />;
  const more = async () => {
    const next = await client.products.search({ ...query, offset: products.length });
    setLater((before) => [...before, ...next.products]);
    // Who asked with the keyboard goes on with the first of them.
    const before = products.length;
    requestAnimationFrame(() => {
      list.current?.children[before]?.querySelector("a")?.focus({ preventScroll: true });
    });
    keepHere("products", products.length + next.products.length);
  };
  return (
    <section aria-label={t.products(total)}>
      <p className="count" role="status">
        {t.products(total)}
      </p>
      <ul className="grid" ref={list}>
        {products.map((product, at) => (
          <ProductCard key={product.id} product={product} first={at < FIRST} />
        ))}
      </ul>
      {products.length < total && (
        <button
          type="button"
          className="button quiet center"
          aria-disabled={busy}
          onClick={() => void run(more)}
        >
          {t.more}
        </button>
      )}
      {error && <p role="alert">{error}</p>}
    </section>
  );
}
