// Amounts, dates and countries, as each language writes them.

import type { Language } from "./texts";

/** Browsers that lack the Kyrgyz numbers and dates have the Russian ones, which look alike. */
function formatOf(language: Language): string {
  return Intl.NumberFormat.supportedLocalesOf(language).length > 0 ? language : "ru";
}

/** The som's sign is younger than most fonts, which show a box in its place. */
const SOM = "\u20c0";

export function moneyOf(language: Language, amount: number, currency: string): string {
  // A cart in which nothing was ever put does not know its currency.
  if (currency === "") return String(amount);
  const style = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
  return new Intl.NumberFormat(formatOf(language), style)
    .formatToParts(amount)
    .map(({ value }) =>
      value === SOM ? { en: "KGS\u00a0", ru: "сом", ky: "сом" }[language] : value,
    )
    .join("");
}

/** By how much a price was reduced, such as −20 %; null if it shows in no whole percent. */
export function reductionOf(language: Language, price: number, before: number): string | null {
  const share = Math.round((1 - price / before) * 100) / 100;
  if (share <= 0) return null;
  const format = new Intl.NumberFormat(formatOf(language), { style: "percent" });
  return format.format(-share).replace("-", "−");
}

export function dateOf(language: Language, text: string): string {
  return new Date(text).toLocaleString(formatOf(language), {
    // Without the language's own names of months, in figures.
    dateStyle: formatOf(language) === language ? "medium" : "short",
    timeStyle: "short",
  });
}

/** What the language calls a market's country. */
export function countryOf(language: Language, market: { market: string; country: string }): string {
  try {
    const names = new Intl.DisplayNames(formatOf(language), { type: "region" });
    return names.of(market.market.toUpperCase()) ?? market.country;
  } catch {
    return market.country; // Not every market is called as its country is.
  }
}
