// One product: its pictures, colours and sizes, and the way into the cart.

import { isEvercartError, type ProductPage as Product, type Sku } from "evercart";
import { useCart, useClient, useWishlist } from "evercart/react";
import { useAction } from "./action";
import { Link, sayHere, useAddress } from "./address";
import { firstAnswer } from "./first";
import { Gallery, type Shot } from "./gallery";
import { lineDetails } from "./line-details";
import { useLoaded } from "./loaded";
import { Empty, Heart, Price, Problem, Skeletons, Trouble } from "./pieces";
import styles from "./product.module.css";
import { Related } from "./related";
import { useShop } from "./shop";
import { SizeGuide } from "./size-guide";
import { swatchOf } from "./swatches";
import { useTitle } from "./title";

export function ProductPage({ id, openCart }: { id: number; openCart: () => void }) {
  const { t, market } = useShop();
  const client = useClient();
  const { value, error, again } = useLoaded(
    (signal) => client.products.get(id, signal),
    [market, id],
    true,
    firstAnswer<Product>(market, `/products/${id}`),
  );
  if (isEvercartError(error, "not_found")) return <Empty title={t.missing} text={t.missingHelp} />;
  if (error !== undefined) return <Trouble error={error} again={again} />;
  if (value === undefined) return <Skeletons count={2} />;
  return <Details product={value} openCart={openCart} />;
}

const isThere = (sku: Sku) => sku.stock_status !== "out_of_stock";

/** The distinct pictures: the product's own and each colour's, named by what is seen. */
function shotsOf(product: Product): readonly Shot[] {
  const shots = new Map<string, string>();
  for (const { image, color } of product.skus)
    if (image !== null && !shots.has(image))
      shots.set(image, [product.name, color].filter(Boolean).join(", "));
  if (product.image !== null && !shots.has(product.image)) shots.set(product.image, product.name);
  return [...shots].map(([image, name]) => ({ image, name }));
}

/** The SKU that the address names, else the first that can be had; and how another is chosen. */
function useVariant({ skus }: Product) {
  const named = Number(useAddress().searchParams.get("sku"));
  const sku = skus.find((one) => one.id === named) ?? skus.find(isThere) ?? skus[0];
  const { color, size } = sku ?? { color: null, size: null };
  // Not every colour comes in every size: what was chosen last decides.
  const choose = (first: (one: Sku) => boolean, then: (one: Sku) => boolean) => {
    const fit = skus.filter(first);
    const found = fit.find(then) ?? fit.find(isThere) ?? fit[0];
    if (found) sayHere("sku", String(found.id));
  };
  return {
    sku,
    chooseColor: (wanted: string) =>
      choose(
        (one) => one.color === wanted,
        (one) => one.size === size,
      ),
    chooseSize: (wanted: string) =>
      choose(
        (one) => one.size === wanted,
        (one) => one.color === color,
      ),
  };
}

function Details({ product, openCart }: { product: Product; openCart: () => void }) {
  const { t, settle } = useShop();
  useTitle(product.name);
  const { add } = useCart();
  const wishes = useWishlist();
  const { searchParams } = useAddress();
  const { busy, error, run } = useAction();
  const { sku, chooseColor, chooseSize } = useVariant(product);
  const put = async () => {
    if (sku === undefined) return;
    const details = lineDetails(product, sku);
    // Who comes from the wishlist moves it from there.
    const isMove = searchParams.has("wish") && wishes.has(product.id);
    const done = await run(() =>
      isMove ? wishes.moveToCart(product.id, sku.id, 1, details) : add(sku.id, 1, details),
    );
    if (done) {
      settle(sku.id);
      openCart();
    }
  };
  const canHave = (size: string) =>
    product.skus.some((one) => one.color === sku?.color && one.size === size && isThere(one));
  return (
    <>
      <Trail product={product} />
      <article className="product">
        <Gallery
          shots={shotsOf(product)}
          image={sku?.image ?? product.image}
          price={sku?.price ?? product.price}
          original={sku?.original_price}
        />
        <div>
          {product.brand && <p className="brand">{product.brand}</p>}
          <h1>{product.name}</h1>
          <Price
            price={sku?.price ?? product.price}
            original={sku?.original_price}
            currency={product.currency}
          />
          <p className="description">{product.description}</p>
          <Choice
            label={t.color}
            all={product.skus.map((one) => one.color)}
            chosen={sku?.color ?? null}
            choose={chooseColor}
            swatch={swatchOf}
          />
          <Choice
            label={t.size}
            all={product.skus.map((one) => one.size)}
            chosen={sku?.size ?? null}
            choose={chooseSize}
            isOut={(one) => !canHave(one)}
          />
          <SizeGuide product={product} />
          <p className={`stock ${sku?.stock_status ?? ""}`} role="status">
            {{ in_stock: t.inStock, low_stock: t.lowStock }[sku?.stock_status ?? ""] ?? t.soldOut}
          </p>
          <div className="actions">
            <button
              type="button"
              className="button"
              disabled={!sku || !isThere(sku)}
              aria-disabled={busy}
              onClick={() => void put()}
            >
              {t.addToCart}
            </button>
            <Heart product={product} />
          </div>
          <Problem text={error} />
          <Terms currency={product.currency} />
        </div>
      </article>
      <Related product={product} />
    </>
  );
}

/** Where the product is in the shop. */
function Trail({ product }: { product: Product }) {
  const { t } = useShop();
  const { category } = product;
  return (
    <nav aria-label={t.youAreHere} className={styles.trail}>
      <ol>
        <li>
          <Link to="/">{t.all}</Link>
        </li>
        {category !== null && (
          <li>
            <Link to={`/?category=${encodeURIComponent(category)}`}>{category}</Link>
          </li>
        )}
        <li aria-current="page">{product.name}</li>
      </ol>
    </nav>
  );
}

function Terms({ currency }: { currency: string }) {
  const { t, here, money } = useShop();
  if (here === undefined) return null;
  const { flat, free_from: free } = here.shipping;
  return (
    <details className={styles.terms}>
      <summary>{t.deliveryAndReturns}</summary>
      <p>
        {t.deliveryCosts(money(flat, currency))}{" "}
        {free !== null && t.deliveryFreeFrom(money(free, currency))}
      </p>
      <p>{t.returnsText}</p>
      <p>
        <small>{t.demoTerms}</small>{" "}
        <Link to="/delivery" className="link">
          {t.topics.delivery}
        </Link>
      </p>
    </details>
  );
}

function Choice(props: {
  label: string;
  all: readonly (string | null)[];
  chosen: string | null;
  choose: (one: string) => void;
  isOut?: (one: string) => boolean;
  swatch?: (one: string) => string | undefined;
}) {
  const { t } = useShop();
  const values = [...new Set(props.all)].filter((one) => one !== null);
  if (values.length === 0) return null;
  return (
    <fieldset className="choice">
      <legend>
        {props.label}: <b>{props.chosen}</b>
      </legend>
      {values.map((one) => {
        const color = props.swatch?.(one);
        return (
          <label key={one} className={props.isOut?.(one) ? "out" : undefined}>
            <input
              type="radio"
              name={props.label}
              checked={one === props.chosen}
              onChange={() => props.choose(one)}
            />
            <span>
              {color !== undefined && (
                <i className={styles.swatch} style={{ background: color }} aria-hidden="true" />
              )}
              {one}
              {props.isOut?.(one) && <span className="unseen">, {t.soldOut}</span>}
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
