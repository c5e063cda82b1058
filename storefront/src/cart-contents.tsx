// What is in the cart and what it costs: in the drawer and on a page of its own.

import { quote, type CartLine, type CartView } from "evercart";
import { useCart, useClient, useSession } from "evercart/react";
import { useId, useState, type ReactNode } from "react";
import { useAction } from "./action";
import { go, Link } from "./address";
import styles from "./cart-contents.module.css";
import { passFocus } from "./focus";
import {
  BagIcon,
  Empty,
  LeftOut,
  Notices,
  Picture,
  Price,
  Problem,
  Skeletons,
  Sums,
} from "./pieces";
import { useShop } from "./shop";
import { useTitle } from "./title";

/** The most pieces that a line can have. */
const QUANTITY_MAX = 999;

/** The page at `/cart`. */
export function CartPage() {
  const { t } = useShop();
  const { cart } = useCart();
  useTitle(t.cart);
  if (!cart.loaded) return <Skeletons count={2} />;
  return (
    <div className={styles.page}>
      <h1 id="cart-page">{t.cart}</h1>
      <CartContents home="cart-page" isPage />
    </div>
  );
}

/** `home` is the id of its heading; the children stand between the lines and the sum. */
export function CartContents(props: { home: string; isPage: boolean; children?: ReactNode }) {
  const { t, here } = useShop();
  const { signedIn } = useSession();
  const { cart } = useCart();
  const { home, isPage } = props;
  if (cart.items.length === 0)
    return (
      <>
        <LeftOut cart={cart} />
        {props.children}
        {isPage ? (
          <Empty isPart title={t.cartEmpty} text={t.cartEmptyHelp} />
        ) : (
          <div className="empty">
            <BagIcon />
            <h3>{t.cartEmpty}</h3>
            <p>{t.cartEmptyHelp}</p>
          </div>
        )}
      </>
    );
  return (
    <>
      <LeftOut cart={cart} />
      <ul className={`lines ${isPage ? styles.lines : ""}`}>
        {cart.items.map((line) => (
          <Line key={line.sku_id} line={line} cart={cart} home={home} />
        ))}
      </ul>
      {props.children}
      <div className={isPage ? styles.sum : "sum"}>
        {signedIn && cart.pending > 0 && <p className="pending">{t.savedLater}</p>}
        <Sums
          subtotal={cart.total_price}
          total={here && quote(cart, here).total_amount}
          currency={cart.currency}
        />
        <button
          type="button"
          className="button wide"
          onClick={() => go(signedIn ? "/checkout" : "/sign-in?then=/checkout")}
        >
          {signedIn ? t.checkout : t.signInToOrder}
        </button>
        {!isPage && (
          <p className={styles.toPage}>
            <Link to="/cart" className="link">
              {t.cartPage}
            </Link>
          </p>
        )}
      </div>
    </>
  );
}

function Line({ line, cart, home }: { line: CartLine; cart: CartView; home: string }) {
  const { t, settle, say } = useShop();
  const client = useClient();
  const { signedIn, user } = useSession();
  const { add, setQuantity } = useCart();
  const { error, run } = useAction();
  const { sku_id: sku, quantity } = line;
  const undo = async () => {
    // What one customer has removed is not put into the next one's cart.
    if (user && client.auth.session().user?.id !== user.id) return;
    await add(sku, quantity, { ...line, currency: cart.currency });
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(`[data-sku="${sku}"] [data-remove]`)?.focus(),
    );
  };
  const set = (from: Element, wanted: number) => {
    settle(sku);
    if (wanted > 0) return void run(() => setQuantity(sku, wanted));
    passFocus(from, "[data-remove]", home);
    say(t.removed(line.name), undo);
    void run(() => setQuantity(sku, 0));
  };
  const what = [line.color, line.size].filter(Boolean).join(", ");
  return (
    <li className={line.pending && signedIn ? "waiting" : undefined} data-sku={sku}>
      <Picture image={line.image} />
      <div>
        <Link to={`/product/${line.product_id}?sku=${sku}`} className="name">
          {line.name}
        </Link>
        {what && <small>{what}</small>}
        <Price price={line.line_total} currency={cart.currency} />
        <Notices cart={cart} sku={sku} />
        <div className="quantity" role="group" aria-label={`${t.quantity}: ${line.name}`}>
          <button
            type="button"
            aria-label={t.less}
            onClick={(event) => set(event.currentTarget, quantity - 1)}
          >
            −
          </button>
          <Quantity quantity={quantity} set={set} />
          <button
            type="button"
            aria-label={t.moreOf}
            aria-disabled={quantity >= QUANTITY_MAX}
            onClick={(event) => quantity < QUANTITY_MAX && set(event.currentTarget, quantity + 1)}
          >
            +
          </button>
          <button
            type="button"
            className="link"
            data-remove=""
            onClick={(event) => set(event.currentTarget, 0)}
            aria-label={`${t.remove}: ${line.name}`}
          >
            {t.remove}
          </button>
        </div>
        <Problem text={error} />
      </div>
    </li>
  );
}

/** The number of pieces, to be typed: it counts when the field is left or Enter is pressed. */
function Quantity(props: { quantity: number; set: (from: Element, wanted: number) => void }) {
  const { t } = useShop();
  const { quantity, set } = props;
  const [typed, setTyped] = useState(String(quantity));
  const [isWrong, setWrong] = useState(false);
  const [shown, setShown] = useState(quantity);
  if (shown !== quantity) {
    // Another button, device or refusal has changed it.
    setShown(quantity);
    setTyped(String(quantity));
    setWrong(false);
  }
  const id = useId();
  const take = (from: Element) => {
    const text = typed.trim();
    const wanted = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    const isGood = wanted >= 1 && wanted <= QUANTITY_MAX;
    setWrong(!isGood);
    if (isGood && wanted !== quantity) set(from, wanted);
  };
  return (
    <>
      <input
        className={styles.quantity}
        inputMode="numeric"
        autoComplete="off"
        maxLength={6}
        aria-label={t.quantity}
        aria-invalid={isWrong || undefined}
        aria-describedby={isWrong ? id : undefined}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={(event) => take(event.target)}
        onKeyDown={(event) => event.key === "Enter" && take(event.currentTarget)}
      />
      {isWrong && (
        <p id={id} role="alert" className={`wrong ${styles.wrong}`}>
          {t.quantityRange}
        </p>
      )}
    </>
  );
}
