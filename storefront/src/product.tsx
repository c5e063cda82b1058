// One product: its pictures, colours and sizes, and the way into the cart.

import { isEvercartError, type ProductPage as Product, type Sku } from "evercart";
import { useCart, useClient, useWishlist } from "evercart/react";
import { useState } from "react";
import { useAction } from "./action";
import { useAddress } from "./address";
import { firstAnswer } from "./first";
import { useLoaded } from "./loaded";
import { Empty, Heart, Picture, Price, Problem, Skeletons, Trouble } from "./pieces";
import { useShop } from "./shop";
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

function Details({ product, openCart }: { product: Product; openCart: () => void }) {
  const { t, settle } = useShop();
  useTitle(product.name);
  const { add } = useCart();
  const wishes = useWishlist();
  const { searchParams } = useAddress();
  const { busy, error, run } = useAction();
  const start = product.skus.find(isThere) ?? product.skus[0];
  const [color, setColor] = useState(start?.color ?? null);
  const [size, setSize] = useState(start?.size ?? null);
  const sku = product.skus.find((one) => one.color === color && one.size === size);
  const image = (sku ?? product.skus.find((one) => one.color === color))?.image ?? product.image;
  const put = async () => {
    if (sku === undefined) return;
    const details = {
      product_id: product.id,
      name: product.name,
      sku_code: sku.sku_code,
      size: sku.size,
      color: sku.color,
      image: sku.image ?? product.image,
      price: sku.price,
      original_price: sku.original_price,
      currency: product.currency,
    };
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
  const chooseColor = (chosen: string | null) => {
    setColor(chosen);
    // Not every colour comes in every size.
    if (!product.skus.some((one) => one.color === chosen && one.size === size)) {
      const other = product.skus.find((one) => one.color === chosen && isThere(one));
      if (other) setSize(other.size);
    }
  };
  return (
    <article className="product">
      <Picture image={image} alt={[product.name, color].filter(Boolean).join(", ")} eager />
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
          chosen={color}
          choose={chooseColor}
        />
        <Choice
          label={t.size}
          all={product.skus.map((one) => one.size)}
          chosen={size}
          choose={setSize}
          isOut={(one) =>
            !product.skus.some((sku) => sku.color === color && sku.size === one && isThere(sku))
          }
        />
        <p className={`stock ${sku?.stock_status ?? ""}`} role="status">
          {sku === undefined
            ? t.chooseFirst
            : ({ out_of_stock: t.soldOut, low_stock: t.lowStock }[sku.stock_status] ?? t.inStock)}
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
      </div>
    </article>
  );
}

function Choice(props: {
  label: string;
  all: readonly (string | null)[];
  chosen: string | null;
  choose: (one: string | null) => void;
  isOut?: (one: string) => boolean;
}) {
  const { t } = useShop();
  const values = [...new Set(props.all)].filter((one) => one !== null);
  if (values.length === 0) return null;
  return (
    <fieldset className="choice">
      <legend>
        {props.label}: <b>{props.chosen}</b>
      </legend>
      {values.map((one) => (
        <label key={one} className={props.isOut?.(one) ? "out" : undefined}>
          <input
            type="radio"
            name={props.label}
            checked={one === props.chosen}
            onChange={() => props.choose(one)}
          />
          <span>
            {one}
            {props.isOut?.(one) && <span className="unseen">, {t.soldOut}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
