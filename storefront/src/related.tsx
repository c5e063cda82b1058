// Other products of the same category, below a product.

import type { ProductPage } from "evercart";
import { useClient } from "evercart/react";
import { useLoaded } from "./loaded";
import { ProductCard } from "./pieces";
import styles from "./related.module.css";
import { useShop } from "./shop";

/** How many are shown. */
const SHOWN = 4;
/** How many they are taken from. */
const READ = 24;

export function Related({ product }: { product: ProductPage }) {
  const { t, market } = useShop();
  const client = useClient();
  const { id, category } = product;
  const { value } = useLoaded(
    (signal) => client.products.search({ category: category ?? undefined, limit: READ }, signal),
    [market, category],
    category !== null,
  );
  // Each product leads to the next ones, so that all of a category can be reached.
  const all = value?.products ?? [];
  const at = all.findIndex((one) => one.id === id);
  const others = [...all.slice(at + 1), ...all.slice(0, Math.max(0, at))].filter(
    (one) => one.id !== id && one.available,
  );
  if (others.length === 0) return null;
  return (
    <section className={styles.related} aria-labelledby="related">
      <h2 id="related">{t.related}</h2>
      <ul className="grid">
        {others.slice(0, SHOWN).map((one) => (
          <ProductCard key={one.id} product={one} first={false} />
        ))}
      </ul>
    </section>
  );
}
