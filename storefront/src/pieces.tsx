// Small pieces that several pages are made of.

import type { CartView, Product } from "evercart";
import { useWishlist } from "evercart/react";
import type { ReactNode } from "react";
import { useAction } from "./action";
import { Link } from "./address";
import { reductionOf } from "./money";
import { useShop } from "./shop";
import { useTitle } from "./title";

function Icon({ path }: { path: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}

export const BagIcon = () => (
  <Icon path="M5 9h14l-1.2 10a1.5 1.5 0 0 1-1.5 1.3H7.700A1.5 1.5 0 0 1 6.2 19zM8.5 9a3.5 3.5 0 0 1 7 0" />
);
export const HeartIcon = () => (
  <Icon path="M12 20S4 15.2 4 9.300A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.300C20 15.2 12 20 12 20z" />
);
export const PersonIcon = () => (
  <Icon path="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.500a7.5 7.5 0 0 1 15 0" />
);
export const CheckIcon = () => (
  <Icon path="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.300l2.800 2.800 5.200-6" />
);
export const SearchIcon = () => <Icon path="M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5" />;

/** A picture, or the space where it would be. */
export function Picture({
  image,
  alt = "",
  eager = false,
}: {
  image: string | null;
  alt?: string;
  eager?: boolean;
}) {
  if (image === null)
    return (
      <span className="picture none">
        <BagIcon />
      </span>
    );
  return (
    <img
      className="picture"
      src={image}
      alt={alt}
      width={600}
      height={750}
      loading={eager ? "eager" : "lazy"}
    />
  );
}

export function Price({
  price,
  original,
  currency,
  from = false,
}: {
  price: number;
  original?: number | null | undefined;
  currency: string;
  from?: boolean;
}) {
  const { t, money } = useShop();
  return (
    <span className="price">
      {from && <span className="unseen">{t.from} </span>}
      <span className={original ? "reduced" : undefined}>{money(price, currency)}</span>
      {original ? (
        <>
          <span className="unseen">, {t.was} </span>
          <s>{money(original, currency)}</s>
        </>
      ) : null}
    </span>
  );
}

/** By how much a product is cheaper than before, on its picture. */
export function Reduction(props: { price: number; original: number | null | undefined }) {
  const { language } = useShop();
  const share = props.original && reductionOf(language, props.price, props.original);
  return share ? <span className="tag sale">{share}</span> : null;
}

/** What has changed under one line of the cart. Only a price that changed can be ordered as it is. */
export function Notices({ cart, sku }: { cart: CartView; sku: number }) {
  const { t, money, cuts } = useShop();
  const price = (amount: number | null | undefined) => money(amount ?? 0, cart.currency);
  const left = cart.items.find((line) => line.sku_id === sku)?.quantity ?? 0;
  const cut = cuts.find((one) => one.sku_id === sku && one.wanted > left);
  return (
    <>
      {cut && (
        <p className="notice">
          {cut.reason === "quantity_limit"
            ? t.cutAtLimit(cut.wanted, left)
            : t.cut(cut.wanted, left)}
        </p>
      )}
      {cart.notices
        .filter((notice) => notice.sku_id === sku)
        .map(({ code, was, now, available }) => (
          <p key={code} className={code === "price_changed" ? "notice" : "notice blocking"}>
            {code === "price_changed"
              ? t.priceChanged(price(was), price(now))
              : code === "insufficient_stock"
                ? available
                  ? t.onlyLeft(available)
                  : t.soldOutLine
                : t.unavailable}
          </p>
        ))}
    </>
  );
}

/** What a guest had collected and is not in the cart at all. */
export function LeftOut({ cart }: { cart: CartView }) {
  const { t, cuts, settle } = useShop();
  const isIn = (sku: number) => cart.items.some((line) => line.sku_id === sku);
  return cuts
    .filter((cut) => !isIn(cut.sku_id))
    .map(({ sku_id, name, reason }) => (
      <p key={sku_id} className="notice closable">
        {reason === "quantity_limit" ? t.leftOutLimit(name) : t.leftOut(name)}
        <button type="button" onClick={() => settle(sku_id)} aria-label={`${t.close}: ${name}`}>
          ×
        </button>
      </p>
    ));
}

/** What the cart costs: the goods, their delivery and both; without `total` only the goods. */
export function Sums(props: { subtotal: number; total: number | undefined; currency: string }) {
  const { t, money, here } = useShop();
  const { subtotal, total, currency } = props;
  const free = here?.shipping.free_from ?? null;
  const delivery = total === undefined ? 0 : total - subtotal;
  const isFree = Math.abs(delivery) < 0.001;
  return (
    <div role="status">
      <dl className="sums">
        <div>
          <dt>{t.subtotal}</dt>
          <dd data-testid="cart-total">{money(subtotal, currency)}</dd>
        </div>
        {total !== undefined && (
          <>
            <div>
              <dt>{t.shipping}</dt>
              <dd>{isFree ? t.free : money(delivery, currency)}</dd>
            </div>
            <div className="grand">
              <dt>{t.total}</dt>
              <dd data-testid="order-total">{money(total, currency)}</dd>
            </div>
          </>
        )}
      </dl>
      {total === undefined && <small>{t.shippingAtOrder}</small>}
      {!isFree && free !== null && subtotal < free && (
        <small>{t.freeFrom(money(free - subtotal, currency))}</small>
      )}
    </div>
  );
}

export function Heart({ product }: { product: Product }) {
  const { t } = useShop();
  const wishes = useWishlist();
  const { run } = useAction();
  const isOn = wishes.has(product.id);
  const { id, name, brand, image, price, original_price, available } = product;
  const toggle = () =>
    isOn
      ? wishes.remove(id)
      : wishes.add(id, { id, name, brand, image, price, original_price, available });
  return (
    <button
      type="button"
      className="heart"
      aria-pressed={isOn}
      aria-label={`${isOn ? t.unwish : t.wish}: ${name}`}
      onClick={() => void run(toggle)}
    >
      <HeartIcon />
    </button>
  );
}

/** `first`: it is seen before anything is scrolled, so its picture does not wait. */
export function ProductCard({ product, first }: { product: Product; first: boolean }) {
  const { t } = useShop();
  return (
    <li className="card">
      <Link to={`/product/${product.id}`}>
        <Picture image={product.image} eager={first} />
        {product.brand && <small>{product.brand}</small>}
        <span className="name">{product.name}</span>
        <Price
          price={product.price}
          original={product.original_price}
          currency={product.currency}
        />
        {product.available ? (
          <Reduction price={product.price} original={product.original_price} />
        ) : (
          <span className="tag">{t.soldOut}</span>
        )}
      </Link>
      <Heart product={product} />
    </li>
  );
}

export function Skeletons({ count }: { count: number }) {
  const { t } = useShop();
  return (
    <ul className="grid" aria-busy="true" aria-label={t.loading}>
      {Array.from({ length: count }, (_, index) => (
        <li key={index} className="card skeleton">
          <span className="picture" />
          <span className="bar" />
          <span className="bar short" />
        </li>
      ))}
    </ul>
  );
}

export function Empty({
  title,
  text,
  isPart = false,
  children,
}: {
  title: string;
  text: string;
  /** A part of a page that has a heading of its own. */
  isPart?: boolean;
  children?: ReactNode;
}) {
  const { t } = useShop();
  const Heading = isPart ? "h2" : "h1";
  useTitle(isPart ? undefined : title);
  return (
    <section className="empty">
      <BagIcon />
      <Heading>{title}</Heading>
      <p>{text}</p>
      {children ?? (
        <Link to="/" className="button">
          {t.browse}
        </Link>
      )}
    </section>
  );
}

export function Trouble({ error, again }: { error: unknown; again: () => void }) {
  const { t, refusalOf } = useShop();
  useTitle(t.problem);
  return (
    <section className="empty" role="alert">
      <h1>{t.problem}</h1>
      <p>{refusalOf(error).text}</p>
      <button type="button" className="button" onClick={again}>
        {t.tryAgain}
      </button>
    </section>
  );
}

/** What went wrong, said at once. */
export function Problem({ text }: { text: string }) {
  return (
    <div role="alert" className="problem">
      {text}
    </div>
  );
}
