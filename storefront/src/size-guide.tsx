// What the sizes of clothes and shoes measure.

import type { ProductPage } from "evercart";
import { useState } from "react";
import { Dialog } from "./dialog";
import { useShop } from "./shop";
import styles from "./size-guide.module.css";

const LETTERS = [
  ["XS", "80–88", "64–72"],
  ["S", "88–96", "72–80"],
  ["M", "96–104", "80–88"],
  ["L", "104–112", "88–98"],
  ["XL", "112–122", "98–108"],
] as const;
const WAISTS = [
  ["W28", "71", "28"],
  ["W30", "76", "30"],
  ["W32", "81", "32"],
  ["W34", "86", "34"],
  ["W36", "91", "36"],
] as const;
const SHOES = [
  ["38", "5½", "5", "24.0"],
  ["39", "6½", "6", "24.7"],
  ["40", "7", "6½", "25.3"],
  ["41", "8", "7½", "26.0"],
  ["42", "8½", "8", "26.7"],
  ["43", "9½", "9", "27.3"],
  ["44", "10", "9½", "28.0"],
] as const;

/** The categories in which letters are sizes of clothes: a bicycle has them, too. */
const CLOTHES = ["clothing", "одежда"];

type Rows = readonly (readonly string[])[];

function tableOf(product: ProductPage): "shoes" | "waists" | "letters" | null {
  const has = (size: RegExp) => product.skus.some((sku) => size.test(sku.size ?? ""));
  if (has(/^EU \d\d$/)) return "shoes";
  if (has(/^W\d\d$/)) return "waists";
  const isClothing = CLOTHES.includes(product.category?.toLowerCase() ?? "");
  return isClothing && has(/^(X*[SL]|M)$/) ? "letters" : null;
}

/** The way to the table; nothing where sizes say for themselves what they are. */
export function SizeGuide({ product }: { product: ProductPage }) {
  const { t } = useShop();
  const [isOpen, setOpen] = useState(false);
  const kind = tableOf(product);
  if (kind === null) return null;
  const { heads, rows } = {
    letters: { heads: [t.size, t.chestCm, t.waistCm], rows: LETTERS as Rows },
    waists: { heads: [t.size, t.waistCm, t.waistIn], rows: WAISTS as Rows },
    shoes: { heads: ["EU", t.usMen, "UK", t.footCm], rows: SHOES as Rows },
  }[kind];
  return (
    <>
      <button type="button" className={`link ${styles.open}`} onClick={() => setOpen(true)}>
        {t.sizeGuide}
      </button>
      {isOpen && (
        <Dialog title={t.sizeGuide} close={() => setOpen(false)}>
          <table className={styles.table}>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(([size, ...measures]) => (
                <tr key={size}>
                  <th scope="row">{size}</th>
                  {measures.map((one, index) => (
                    <td key={index}>{one}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <p className="soft">{t.sizesVary}</p>
        </Dialog>
      )}
    </>
  );
}
