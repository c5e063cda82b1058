// Ordering what is in the cart.

import { isEvercartError, quote } from "evercart";
import { useCart, useClient, useSession } from "evercart/react";
import { useState, type FormEvent } from "react";
import { Empty, Field, Notices, Picture, Price, Problem, Skeletons, Sums, text } from "./pieces";
import { go, useAction, useLoaded, useShop } from "./shop";
import { SignIn } from "./sign-in";

/** The least time in which a total can be read. */
const READ_MS = 700;

export function Checkout({ openCart }: { openCart: () => void }) {
  const { t, say, here } = useShop();
  const client = useClient();
  const { signedIn, status, user } = useSession();
  const { cart, refresh } = useCart();
  const { busy, error, run } = useAction();
  const [told, setTold] = useState<{ total: number; version: number; at: number }>();
  // What the server says is right; it has said it of this cart only.
  const said = told?.version === cart.version ? told : undefined;
  const total = said?.total ?? (here && quote(cart, here).total_amount);
  const known = useLoaded(
    async () => (signedIn ? ((await client.addresses.list())[0] ?? null) : null),
    [signedIn],
  );
  if (status === "loading") return <Skeletons count={2} />;
  if (!signedIn) return <SignIn />;
  if (cart.loaded && cart.items.length === 0 && !busy)
    return <Empty title={t.cartEmpty} text={t.cartEmptyHelp} />;
  // The form begins with what is known; it is drawn when that is.
  if (known.value === undefined && known.error === undefined) return <Skeletons count={2} />;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    // The second half of a double click must not accept a total that was not read.
    if (said && performance.now() - said.at < READ_MS) return;
    void run(async () => {
      try {
        const order = await client.orders.checkout({
          customer_name: text(form, "name"),
          customer_email: text(form, "email") || null,
          delivery_address: text(form, "address"),
          delivery_city: text(form, "city") || null,
          delivery_notes: text(form, "notes") || null,
          payment_method: text(form, "payment"),
          // Where the shop could not tell what delivery costs, the answer does; nothing is ordered before.
          expected_total: total ?? cart.total_price,
        });
        say(t.thanks);
        go(`/orders/${order.id}`);
      } catch (caught) {
        if (!isEvercartError(caught) || caught.status !== 409) throw caught;
        // Ordered already, on another device or by an earlier click: that order is what there is to see.
        if (isEvercartError(caught, "cart_empty") && caught.facts.order_id !== undefined) {
          await refresh().catch(() => cart);
          go(`/orders/${caught.facts.order_id}`);
          return;
        }
        // What was refused is read again, so that each line says what is wrong with it.
        const { version } = await refresh().catch(() => cart);
        if (!isEvercartError(caught, "price_changed") || caught.facts.actual === undefined)
          throw caught;
        setTold({ total: caught.facts.actual, version, at: performance.now() });
        // Who has seen a total is told that it is another now.
        if (total !== undefined) throw caught;
      }
    });
  };
  return (
    <form className="checkout" onSubmit={submit}>
      <div className="sheet">
        <h1>{t.checkout}</h1>
        <h2>{t.delivery}</h2>
        <Field
          label={t.name}
          name="name"
          autoComplete="name"
          defaultValue={user?.full_name ?? ""}
        />
        <Field
          label={t.email}
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={user?.email ?? ""}
          optional
        />
        <Field
          label={t.address}
          name="address"
          autoComplete="street-address"
          defaultValue={known.value?.full_address ?? ""}
        />
        <Field
          label={t.city}
          name="city"
          autoComplete="address-level2"
          defaultValue={known.value?.city ?? ""}
          optional
        />
        <Field label={t.notes} name="notes" optional />
        <fieldset className="choice">
          <legend>{t.payment}</legend>
          {Object.entries({ card: t.payCard, cash: t.payCash }).map(([way, label]) => (
            <label key={way}>
              <input type="radio" name="payment" value={way} defaultChecked={way === "card"} />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <aside className="sheet" aria-label={t.summary}>
        <div className="head">
          <h2>{t.summary}</h2>
          <button type="button" className="link" onClick={openCart}>
            {t.change}
          </button>
        </div>
        <ul className="lines">
          {cart.items.map((line) => (
            <li key={line.sku_id}>
              <Picture image={line.image} />
              <div>
                <span className="name">
                  {line.quantity} × {line.name}
                </span>
                <small>{[line.color, line.size].filter(Boolean).join(", ")}</small>
                <Price price={line.line_total} currency={cart.currency} />
                <Notices cart={cart} sku={line.sku_id} />
              </div>
            </li>
          ))}
        </ul>
        <Sums subtotal={cart.total_price} total={total} currency={cart.currency} />
        <button className="button wide" aria-disabled={busy}>
          {busy ? t.placing : total === undefined ? t.toTotal : t.placeOrder}
        </button>
        <Problem text={error} />
      </aside>
    </form>
  );
}
