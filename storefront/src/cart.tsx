// The cart, in a drawer over the page. The browser's own dialog keeps the focus inside and gives it
// back.

import { quote, type CartLine, type CartView } from "evercart";
import { useCart, useSession } from "evercart/react";
import { useEffect, useRef } from "react";
import { useAction } from "./action";
import { go, Link, useAddress } from "./address";
import { passFocus } from "./focus";
import { BagIcon, LeftOut, Notices, Picture, Price, Problem, Sums } from "./pieces";
import { useShop } from "./shop";

export function CartDrawer({ open, close }: { open: boolean; close: () => void }) {
  const { t, here } = useShop();
  const { signedIn } = useSession();
  const { cart } = useCart();
  const dialog = useRef<HTMLDialogElement>(null);
  const { pathname } = useAddress();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  useEffect(() => {
    dialog.current?.close();
  }, [pathname]);
  const order = () => {
    close();
    go(signedIn ? "/checkout" : "/sign-in?then=/checkout");
  };
  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-labelledby="cart-title"
      onClose={close}
      // A press beside the drawer closes it; the keyboard has Escape and the button.
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="inside">
        <div className="head">
          <h2 id="cart-title">{t.cart}</h2>
          <button type="button" className="icon" onClick={close} aria-label={t.close}>
            ×
          </button>
        </div>
        <LeftOut cart={cart} />
        {cart.items.length === 0 ? (
          <div className="empty">
            <BagIcon />
            <h3>{t.cartEmpty}</h3>
            <p>{t.cartEmptyHelp}</p>
          </div>
        ) : (
          <>
            <ul className="lines">
              {cart.items.map((line) => (
                <Line key={line.sku_id} line={line} cart={cart} />
              ))}
            </ul>
            <div className="sum">
              {signedIn && cart.pending > 0 && <p className="pending">{t.savedLater}</p>}
              <Sums
                subtotal={cart.total_price}
                total={here && quote(cart, here).total_amount}
                currency={cart.currency}
              />
              <button type="button" className="button wide" onClick={order}>
                {signedIn ? t.checkout : t.signInToOrder}
              </button>
            </div>
          </>
        )}
      </div>
    </dialog>
  );
}

function Line({ line, cart }: { line: CartLine; cart: CartView }) {
  const { t, settle } = useShop();
  const { signedIn } = useSession();
  const { setQuantity, remove } = useCart();
  const { error, run } = useAction();
  const change = (from: Element, quantity: number, action: () => Promise<unknown>) => {
    if (quantity === 0) passFocus(from, "[data-remove]", "cart-title");
    settle(line.sku_id);
    void run(action);
  };
  const set = (from: Element, quantity: number) =>
    change(from, quantity, () => setQuantity(line.sku_id, quantity));
  const what = [line.color, line.size].filter(Boolean).join(", ");
  return (
    <li className={line.pending && signedIn ? "waiting" : undefined} data-sku={line.sku_id}>
      <Picture image={line.image} />
      <div>
        <Link to={`/product/${line.product_id}`} className="name">
          {line.name}
        </Link>
        {what && <small>{what}</small>}
        <Price price={line.line_total} currency={cart.currency} />
        <Notices cart={cart} sku={line.sku_id} />
        <div className="quantity" role="group" aria-label={`${t.quantity}: ${line.name}`}>
          <button
            type="button"
            aria-label={t.less}
            onClick={(event) => set(event.currentTarget, line.quantity - 1)}
          >
            −
          </button>
          <output aria-label={t.quantity}>{line.quantity}</output>
          <button
            type="button"
            aria-label={t.moreOf}
            onClick={(event) => set(event.currentTarget, line.quantity + 1)}
          >
            +
          </button>
          <button
            type="button"
            className="link"
            data-remove=""
            onClick={(event) => change(event.currentTarget, 0, () => remove(line.sku_id))}
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
