// Puts what an order had into the cart once more, as far as it can still be had, and says what cannot.

import { isEvercartError, type Order } from "evercart";
import { useCart, useClient } from "evercart/react";
import { useState } from "react";
import { useAction } from "./action";
import { Link } from "./address";
import styles from "./buy-again.module.css";
import { lineDetails } from "./line-details";
import { Problem } from "./pieces";
import { useShop } from "./shop";

type Line = Order["items"][number];

export function BuyAgain({ order }: { order: Order }) {
  const { t } = useShop();
  const client = useClient();
  const { add } = useCart();
  const { busy, error, run } = useAction();
  const [done, setDone] = useState<{ lines: number; missing: readonly Line[] }>();
  const put = async ({ product_id, sku_id, quantity }: Line): Promise<boolean> => {
    try {
      const product = await client.products.get(product_id);
      const sku = product.skus.find((one) => one.id === sku_id);
      if (sku === undefined || sku.stock_status === "out_of_stock") return false;
      await add(sku_id, quantity, lineDetails(product, sku));
      return true;
    } catch (caught) {
      const isGone =
        isEvercartError(caught, "not_found") ||
        isEvercartError(caught, "sku_unavailable") ||
        isEvercartError(caught, "insufficient_stock");
      if (!isGone) throw caught;
      return false;
    }
  };
  const putAll = async () => {
    const missing: Line[] = [];
    for (const line of order.items) if (!(await put(line))) missing.push(line);
    setDone({ lines: order.items.length - missing.length, missing });
  };
  return (
    <div className={`no-print ${styles.again}`}>
      <button
        type="button"
        className="button"
        aria-disabled={busy}
        onClick={() => void run(putAll)}
      >
        {t.buyAgain}
      </button>
      <div role="status">
        {done && (
          <div className="hint">
            {done.lines > 0 && (
              <p>
                {t.boughtAgain(done.lines)}{" "}
                <Link to="/cart" className="link">
                  {t.cart}
                </Link>
              </p>
            )}
            {done.missing.length > 0 && (
              <>
                <p>{t.notHad}</p>
                <ul className={styles.missing}>
                  {done.missing.map(({ id, product_name, color, size }) => (
                    <li key={id}>{[product_name, color, size].filter(Boolean).join(", ")}</li>
                  ))}
                </ul>
              </>
            )}
          </div>
        )}
      </div>
      <Problem text={error} />
    </div>
  );
}
