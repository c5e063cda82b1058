// Where an order goes: one of the customer's addresses, or another, which can be kept for next time.

import type { Address } from "evercart";
import { useState, type ReactNode } from "react";
import styles from "./deliver-to.module.css";
import type { Draft } from "./draft";
import { Field, text } from "./form";
import { useShop } from "./shop";

/** What the form says of an address that is none of the customer's. */
const ELSEWHERE = "elsewhere";

/** `addresses` has the default first. */
export function Where({ addresses, draft }: { addresses: readonly Address[]; draft: Draft }) {
  const { t } = useShop();
  const known = addresses.map(({ id }) => String(id));
  const kept = draft.typed["address_id"];
  const [chosen, choose] = useState(
    kept !== undefined && [...known, ELSEWHERE].includes(kept) ? kept : (known[0] ?? ELSEWHERE),
  );
  const way = (value: string, content: ReactNode) => (
    <label key={value}>
      <input
        type="radio"
        name="address_id"
        value={value}
        checked={value === chosen}
        onChange={() => choose(value)}
      />
      <span>{content}</span>
    </label>
  );
  return (
    <>
      {addresses.length > 0 && (
        <fieldset className={`choice ${styles.where}`}>
          <legend>{t.deliverTo}</legend>
          {addresses.map((address) =>
            way(
              String(address.id),
              <>
                {address.title && <b>{address.title}</b>}
                {[address.full_address, address.city].filter(Boolean).join(", ")}
              </>,
            ),
          )}
          {way(ELSEWHERE, t.elsewhere)}
        </fieldset>
      )}
      {chosen === ELSEWHERE && (
        <>
          <Field label={t.address} name="delivery_address" autoComplete="street-address" />
          <Field label={t.city} name="delivery_city" autoComplete="address-level2" optional />
          <label className={styles.keep}>
            <input
              type="checkbox"
              name="keep_address"
              defaultChecked={draft.typed["keep_address"] === "on"}
            />{" "}
            {t.keepAddress}
          </label>
        </>
      )}
    </>
  );
}

/** What the filled form says of it, for the order; and whether it is to be kept. */
export function deliveryIn(form: FormData, addresses: readonly Address[]) {
  const saved = addresses.find(({ id }) => String(id) === form.get("address_id"));
  return {
    fields: {
      delivery_address: saved?.full_address ?? text(form, "delivery_address"),
      delivery_city: (saved ? saved.city : text(form, "delivery_city")) || null,
    },
    isKept: saved === undefined && form.get("keep_address") === "on",
  };
}
