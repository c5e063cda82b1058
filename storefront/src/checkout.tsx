// Ordering what is in the cart.

import { isEvercartError, quote, type Address, type Checkout as Wanted } from "evercart";
import { useCart, useClient, useSession } from "evercart/react";
import { useEffect, useRef, useState } from "react";
import { go } from "./address";
import { deliveryIn, Where } from "./deliver-to";
import { useDraft, type Draft } from "./draft";
import { Field, Form, FormProblem, text, useSending, Way } from "./form";
import { useLoaded } from "./loaded";
import { keepUnanswered, unanswered } from "./ordering";
import { Empty, Notices, Picture, Price, Skeletons, Sums, Trouble } from "./pieces";
import { useShop } from "./shop";
import { SignIn, SignInOver } from "./sign-in";
import { useTitle } from "./title";

/** The least time in which a total can be read. */
const READ_MS = 700;

export function Checkout({ openCart }: { openCart: () => void }) {
  const { t, market } = useShop();
  const { status, user } = useSession();
  const { cart } = useCart();
  const whose = `${market}:${user?.id}`;
  // While it is being ordered, the cart empties before the answer comes.
  const [isOrdering, setOrdering] = useState(false);
  useTitle(status === "guest" ? undefined : t.checkout);
  if (status === "loading") return <Skeletons count={2} />;
  if (status === "guest") return <SignIn />;
  if (cart.loaded && cart.items.length === 0 && !isOrdering) {
    const sent = unanswered(whose);
    if (sent && status === "signed_in") return <FindOrder whose={whose} sent={sent} />;
    return <Empty title={t.cartEmpty} text={t.cartEmptyHelp} />;
  }
  return (
    <>
      <Order whose={whose} openCart={openCart} ordering={setOrdering} />
      <SignInOver />
    </>
  );
}

/** Looks what became of an order. With an empty cart, asking again can only tell of the order there is. */
function FindOrder({ whose, sent }: { whose: string; sent: Wanted }) {
  const { t } = useShop();
  const client = useClient();
  const placed = usePlaced(whose);
  const { error, again } = useLoaded(async () => {
    try {
      placed(await client.orders.checkout(sent));
    } catch (caught) {
      if (!isEvercartError(caught, "cart_empty")) throw caught;
      placed({ id: caught.facts.order_id, order_number: caught.facts.order_number });
    }
  }, []);
  if (error !== undefined) return <Trouble error={error} again={again} />;
  return (
    <p role="status" className="hint">
      {t.lookingForOrder}
    </p>
  );
}

/** Shows an order that is placed; without an id there is none, and the cart is what there is to see. */
function usePlaced(whose: string) {
  const draft = useDraft("checkout");
  return (order: { id?: number | undefined; order_number?: string | undefined }) => {
    keepUnanswered(whose, undefined);
    if (order.id === undefined) return go("/checkout", { replace: true });
    draft.drop();
    go(`/orders/${order.id}?placed`, { replace: true });
  };
}

function Order(props: {
  whose: string;
  openCart: () => void;
  ordering: (isOrdering: boolean) => void;
}) {
  const { here } = useShop();
  const client = useClient();
  const { signedIn } = useSession();
  const { cart, refresh } = useCart();
  const { whose, ordering } = props;
  const draft = useDraft("checkout");
  const placed = usePlaced(whose);
  const [told, setTold] = useState<{ total: number; version: number; at: number }>();
  // What the server says is right; it has said it of this cart only.
  const said = told?.version === cart.version ? told : undefined;
  const total = said?.total ?? (here && quote(cart, here).total_amount);
  const known = useLoaded(() => client.addresses.list(), [whose], signedIn);
  // Kept once, though the order may need another press.
  const keptAddress = useRef("");
  // Whoever leaves the page is not ordering.
  useEffect(() => () => ordering(false), [ordering]);
  // The form begins with what is known; it is drawn when that is.
  if (signedIn && known.value === undefined && known.error === undefined)
    return <Skeletons count={2} />;

  const order = async (checkout: Wanted) => {
    keepUnanswered(whose, checkout);
    try {
      placed(await client.orders.checkout(checkout));
    } catch (caught) {
      if (!isEvercartError(caught) || !isRefusal(caught.status)) throw caught;
      keepUnanswered(whose, undefined);
      if (caught.status !== 409) throw caught;
      // Ordered already, on another device or by an earlier click: that order is what there is to see.
      if (isEvercartError(caught, "cart_empty") && caught.facts.order_id !== undefined) {
        await refresh().catch(() => cart);
        const { order_id: id, order_number } = caught.facts;
        return placed({ id, order_number });
      }
      // What was refused is read again, so that each line says what is wrong with it.
      const { version } = await refresh().catch(() => cart);
      if (!isEvercartError(caught, "price_changed") || caught.facts.actual === undefined)
        throw caught;
      setTold({ total: caught.facts.actual, version, at: performance.now() });
      // Who has seen a total is told that it is another now.
      if (total !== undefined) throw caught;
    }
  };
  const submit = async (form: FormData) => {
    // The second half of a double click must not accept a total that was not read.
    if (said && performance.now() - said.at < READ_MS) return;
    ordering(true);
    const { fields, isKept } = deliveryIn(form, known.value ?? []);
    try {
      if (isKept && keptAddress.current !== fields.delivery_address) {
        const { delivery_address: full_address, delivery_city: city } = fields;
        await client.addresses.add({ full_address, city });
        keptAddress.current = full_address;
      }
      await order({
        customer_name: text(form, "customer_name"),
        customer_email: text(form, "customer_email") || null,
        ...fields,
        delivery_notes: text(form, "delivery_notes") || null,
        payment_method: text(form, "payment_method"),
        // Where the shop could not tell what delivery costs, the answer does; nothing is ordered before.
        expected_total: total ?? cart.total_price,
      });
    } finally {
      ordering(false);
    }
  };
  return (
    <Form className="checkout" submit={submit} draft={draft}>
      <Delivery addresses={known.value ?? []} draft={draft} />
      <Summary total={total} openCart={props.openCart} />
    </Form>
  );
}

/** True if the server has said no: then nothing was ordered. */
const isRefusal = (status: number) => status >= 400 && status < 500 && status !== 401;

function Delivery(props: { addresses: readonly Address[]; draft: Draft }) {
  const { t } = useShop();
  const { user } = useSession();
  return (
    <div className="sheet">
      <h1>{t.checkout}</h1>
      <h2>{t.delivery}</h2>
      <Field
        label={t.name}
        name="customer_name"
        autoComplete="name"
        defaultValue={user?.full_name ?? ""}
      />
      <Field
        label={t.email}
        name="customer_email"
        type="email"
        autoComplete="email"
        defaultValue={user?.email ?? ""}
        optional
      />
      <Where addresses={props.addresses} draft={props.draft} />
      <Field label={t.notes} name="delivery_notes" optional />
      <fieldset className="choice">
        <legend>{t.payment}</legend>
        <Way name="payment_method" value="card" label={t.payCard} first />
        <Way name="payment_method" value="cash" label={t.payCash} first={false} />
      </fieldset>
    </div>
  );
}

function Summary({ total, openCart }: { total: number | undefined; openCart: () => void }) {
  const { t } = useShop();
  const { cart } = useCart();
  const busy = useSending();
  return (
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
      <FormProblem />
    </aside>
  );
}
