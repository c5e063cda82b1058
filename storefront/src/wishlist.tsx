// What the customer has kept for later.

import type { WishlistItem } from "evercart";
import { useClient, useWishlist } from "evercart/react";
import { useAction } from "./action";
import { go, Link } from "./address";
import { passFocus } from "./focus";
import { Empty, Picture, Price, Problem, Reduction, Skeletons } from "./pieces";
import { useShop } from "./shop";
import { useTitle } from "./title";

export function Wishlist({ openCart }: { openCart: () => void }) {
  const { t, here } = useShop();
  const { wishlist } = useWishlist();
  useTitle(t.wishlist);
  if (!wishlist.loaded) return <Skeletons count={4} />;
  if (wishlist.items.length === 0)
    return <Empty title={t.wishlistEmpty} text={t.wishlistEmptyHelp} />;
  return (
    <section>
      <h1>{t.wishlist}</h1>
      <ul className="grid">
        {wishlist.items.map((item) => (
          <Wish
            key={item.product_id}
            item={item}
            currency={here?.currency_code ?? ""}
            openCart={openCart}
          />
        ))}
      </ul>
    </section>
  );
}

function Wish({
  item,
  currency,
  openCart,
}: {
  item: WishlistItem;
  currency: string;
  openCart: () => void;
}) {
  const { t } = useShop();
  const client = useClient();
  const wishes = useWishlist();
  const { busy, error, run } = useAction();
  const { product, product_id: id } = item;
  const move = async () => {
    const { skus } = await client.products.get(id);
    // With a choice to make, the customer makes it.
    if (skus.length !== 1 || skus[0] === undefined) return go(`/product/${id}?wish`);
    await wishes.moveToCart(id, skus[0].id);
    openCart();
  };
  return (
    <li className="card">
      <Link to={`/product/${id}`}>
        <Picture image={product.image} />
        <span className="name">{product.name}</span>
        <Reduction price={product.price} original={product.original_price} />
        <Price price={product.price} original={product.original_price} currency={currency} />
      </Link>
      <button
        type="button"
        className="button quiet"
        disabled={!product.available}
        aria-disabled={busy}
        onClick={() => void run(move)}
        aria-label={`${t.moveToCart}: ${product.name}`}
      >
        {product.available ? t.moveToCart : t.soldOut}
      </button>
      <button
        type="button"
        className="link"
        data-remove=""
        onClick={(event) => {
          passFocus(event.currentTarget, "[data-remove]", "main");
          void run(() => wishes.remove(id));
        }}
        aria-label={`${t.remove}: ${product.name}`}
      >
        {t.remove}
      </button>
      <Problem text={error} />
    </li>
  );
}
