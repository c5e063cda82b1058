// The customer's orders, and each of them with its status and history.

import { isEvercartError, type Order } from "evercart";
import { useClient, useOrders, useSession } from "evercart/react";
import { useState } from "react";
import { useAction } from "./action";
import { Link, useAddress } from "./address";
import { BuyAgain } from "./buy-again";
import { useLoaded } from "./loaded";
import { CheckIcon, Empty, Picture, Problem, Skeletons, Trouble } from "./pieces";
import styles from "./orders.module.css";
import { useShop } from "./shop";
import { SignIn, SignInOver } from "./sign-in";
import { useTitle } from "./title";

export function Orders() {
  const { t, money, date } = useShop();
  const { signedIn } = useSession();
  const { orders, loading, error, refresh, hasMore, loadMore } = useOrders();
  useTitle(t.orders);
  if (!signedIn && orders.length === 0) return <SignIn />;
  if (error && orders.length === 0) return <Trouble error={error} again={() => void refresh()} />;
  if (loading && orders.length === 0) return <Skeletons count={4} />;
  if (orders.length === 0) return <Empty title={t.noOrders} text={t.noOrdersHelp} />;
  return (
    <section className="sheet">
      <h1>{t.orders}</h1>
      <SignInOver />
      <ul className="orders">
        {orders.map((order) => (
          <li key={order.id}>
            <Link to={`/orders/${order.id}`}>
              <b>{order.order_number}</b>
              <span>{date(order.order_date)}</span>
              <Status status={order.status} />
              <span className="price">{money(order.total_amount, order.currency)}</span>
            </Link>
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="button quiet center" onClick={() => void loadMore()}>
          {t.more}
        </button>
      )}
    </section>
  );
}

function Status({ status }: { status: string }) {
  const { t } = useShop();
  return <span className={`status ${status}`}>{t.status[status] ?? status}</span>;
}

export function OrderPage({ id }: { id: number }) {
  const { t } = useShop();
  const client = useClient();
  const { signedIn } = useSession();
  const { value, error, again } = useLoaded(
    (signal) => client.orders.get(id, signal),
    [id],
    signedIn,
  );
  // The address of an order that was just placed; one that was called off since is an order like any.
  const isPlaced = useAddress().searchParams.has("placed") && value?.status !== "cancelled";
  useTitle(value && (isPlaced ? t.thanks : `${t.order} ${value.order_number}`));
  if (!signedIn && !value) return <SignIn />;
  if (isEvercartError(error, "not_found")) return <Empty title={t.missing} text={t.missingHelp} />;
  if (error !== undefined) return <Trouble error={error} again={again} />;
  if (!value) return <Skeletons count={2} />;
  return (
    <>
      <SignInOver />
      {isPlaced && <Thanks order={value} />}
      <Details order={value} again={again} isPart={isPlaced} />
    </>
  );
}

/** Thanks for a placed order, with the ways to go on. */
function Thanks({ order }: { order: Order }) {
  const { t } = useShop();
  return (
    <section className={`no-print ${styles.thanks}`}>
      <CheckIcon />
      <h1>{t.thanks}</h1>
      <p role="status">{t.orderPlaced(order.order_number)}</p>
      <ol>
        {t.whatNext.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <p className={styles.ways}>
        <Link to="/" className="button">
          {t.goOnShopping}
        </Link>
        <Link to="/orders" className="button quiet">
          {t.orders}
        </Link>
        <button type="button" className="button quiet" onClick={() => print()}>
          {t.print}
        </button>
      </p>
    </section>
  );
}

function Details(props: {
  order: Order;
  again: () => void;
  /** Below a heading of the page's own. */
  isPart: boolean;
}) {
  const { order, again, isPart } = props;
  const { t, money, date, say } = useShop();
  const client = useClient();
  const [isSure, setSure] = useState(false);
  const Heading = isPart ? "h2" : "h1";
  const { busy, error, run } = useAction();
  const cancel = () => {
    if (!isSure) return setSure(true);
    void run(async () => {
      await client.orders.cancel(order.id);
      say(t.cancelled);
      again();
    });
  };
  const amount = (value: number) => money(value, order.currency);
  const sums: [string, string][] = [
    [t.subtotal, amount(order.subtotal)],
    [t.shipping, order.shipping_cost > 0 ? amount(order.shipping_cost) : t.free],
  ];
  if (order.tax_amount > 0) sums.push([t.tax, amount(order.tax_amount)]);
  return (
    <article className="sheet">
      {!isPart && (
        <p className="pair no-print">
          <Link to="/orders" className="link">
            ← {t.backToOrders}
          </Link>
          <button type="button" className="link" onClick={() => print()}>
            {t.print}
          </button>
        </p>
      )}
      <Heading>
        {t.order} {order.order_number} <Status status={order.status} />
      </Heading>
      <ul className="lines">
        {order.items.map((line) => (
          <li key={line.id}>
            <Picture image={line.image} />
            <div>
              <Link to={`/product/${line.product_id}?sku=${line.sku_id}`} className="name">
                {line.quantity} × {line.product_name}
              </Link>
              <small>{[line.color, line.size].filter(Boolean).join(", ")}</small>
              <span className="price">{money(line.total_price, order.currency)}</span>
            </div>
          </li>
        ))}
      </ul>
      <dl className="sums">
        {sums.map(([name, shown]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{shown}</dd>
          </div>
        ))}
        <div className="grand">
          <dt>{t.total}</dt>
          <dd>{amount(order.total_amount)}</dd>
        </div>
      </dl>
      <h2>{t.delivery}</h2>
      <p>
        {[order.customer_name, order.delivery_address, order.delivery_city]
          .filter(Boolean)
          .join(", ")}
      </p>
      <h2>{t.history}</h2>
      <ol className="history">
        {order.history.map(({ status, at }) => (
          <li key={status}>
            <b>{t.status[status] ?? status}</b> <time dateTime={at}>{date(at)}</time>
          </li>
        ))}
      </ol>
      {!isPart && <BuyAgain order={order} />}
      {["pending", "confirmed"].includes(order.status) && (
        <button type="button" className="button quiet" aria-disabled={busy} onClick={cancel}>
          {isSure ? t.reallyCancel : t.cancelOrder}
        </button>
      )}
      <Problem text={error} />
    </article>
  );
}
