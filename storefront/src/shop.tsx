// What every part of the shop needs: the client of the chosen market, the language, money, the
// address bar, and what is said to the customer.

import { createClient, isEvercartError, type Client, type Market } from "evercart";
import { EvercartProvider } from "evercart/react";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type MouseEvent,
  type ReactNode,
} from "react";
import { isLanguage, TEXTS, type Language, type Texts } from "./texts";

const MARKET = "evercart-shop:market";
const LANGUAGE = "evercart-shop:language";
const BASE = "/shop";

interface Shop {
  readonly t: Texts;
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly market: string;
  readonly markets: readonly Market[];
  /** The market that is shown, when the server has told of it. */
  readonly here: Market | undefined;
  readonly setMarket: (market: string) => void;
  readonly money: (amount: number, currency: string) => string;
  readonly date: (text: string) => string;
  readonly say: (text: string) => void;
  readonly said: string;
  readonly why: (error: unknown) => string;
}

const Context = createContext<Shop | null>(null);

export function useShop(): Shop {
  const shop = useContext(Context);
  if (shop === null) throw new Error("useShop needs a <ShopProvider> above it");
  return shop;
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // A browser that keeps nothing still gets a shop.
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** The language asked for, else the browser's, as far as the shop speaks it. */
function firstLanguage(): Language {
  const wanted = [stored(LANGUAGE), ...navigator.languages.map((name) => name.slice(0, 2))];
  return wanted.find(isLanguage) ?? "en";
}

export function ShopProvider({ children }: { children: ReactNode }) {
  const [language, chooseLanguage] = useState(firstLanguage);
  const [market, chooseMarket] = useState(() => stored(MARKET) ?? "us");
  const [markets, setMarkets] = useState<readonly Market[]>([]);
  const [said, say] = useState("");
  const t = TEXTS[language];
  const client = useClientOf(market);

  const why = useCallback(
    (error: unknown): string => {
      if (!isEvercartError(error)) return t.problem;
      if (isEvercartError(error, "insufficient_stock"))
        return t.insufficientStock(error.facts.available ?? 0);
      if (isEvercartError(error, "price_changed"))
        return t.totalChanged(
          moneyOf(language, error.facts.actual ?? 0, error.facts.currency ?? ""),
        );
      if (isEvercartError(error, "phone_moved"))
        return error.facts.until ? t.phoneMoved : t.phoneMoveStopped;
      if (isEvercartError(error, "phone_on_hold"))
        return error.facts.until ? t.phoneOnHold : t.accountFrozen;
      if (["network", "timeout", "offline"].includes(error.code)) return t.unreachable;
      if (error.code === "code_invalid") return t.codeInvalid;
      if (error.code === "sku_unavailable") return t.unavailable;
      if (error.code === "order_not_cancellable") return t.notCancellable;
      if (error.code === "open_orders") return t.openOrders;
      if (error.retryAfterMs !== undefined && error.status === 429)
        return t.tooMany(Math.ceil(error.retryAfterMs / 1000));
      if (error.errors?.some(({ field }) => field.includes("phone"))) return t.phoneInvalid;
      return error.errors?.[0]?.detail ?? error.message;
    },
    [t, language],
  );

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    client.auth.markets().then(
      ({ markets }) => {
        setMarkets(markets);
        // A market that was chosen once may have been closed since.
        if (!markets.some((one) => one.market === market) && markets[0])
          chooseMarket(markets[0].market);
      },
      () => undefined, // Without a network there is nothing to choose from.
    );
  }, [client, market]);
  useEffect(() => {
    const ends = [
      client.onSignedOut(({ code }) =>
        say(code === "token_expired" ? t.expired : t.endedElsewhere),
      ),
      client.onRefused(({ error, skipped }) => {
        if (error || skipped.length > 0) say(t.notTaken(error ? why(error) : t.unavailable));
      }),
    ];
    return () => ends.forEach((end) => end());
  }, [client, t, why]);

  const shop = useMemo<Shop>(
    () => ({
      t,
      language,
      market,
      markets,
      here: markets.find((one) => one.market === market),
      said,
      say,
      why,
      setLanguage: (chosen) => {
        keep(LANGUAGE, chosen);
        chooseLanguage(chosen);
      },
      setMarket: (chosen) => {
        keep(MARKET, chosen);
        chooseMarket(chosen);
        go("/");
      },
      money: (amount, currency) => moneyOf(language, amount, currency),
      date: (text) =>
        new Date(text).toLocaleString(formatOf(language), {
          // Without the language's own names of months, in figures.
          dateStyle: formatOf(language) === language ? "medium" : "short",
          timeStyle: "short",
        }),
    }),
    [t, language, market, markets, said, why],
  );
  return (
    <Context value={shop}>
      {/* A market is a shop of its own: nothing of one is shown in the other. */}
      <EvercartProvider key={market} client={client}>
        {children}
      </EvercartProvider>
    </Context>
  );
}

const clients = new Map<string, Client>();

/** One client a market for as long as the page lives; its tabs and streams are shared. */
function useClientOf(market: string): Client {
  return useMemo(() => {
    const client = clients.get(market) ?? createClient({ url: "", market });
    clients.set(market, client);
    return client;
  }, [market]);
}

/** Whose numbers and dates are shown. Browsers that lack the Kyrgyz ones have the Russian, which look alike. */
function formatOf(language: Language): string {
  return Intl.NumberFormat.supportedLocalesOf(language).length > 0 ? language : "ru";
}

function moneyOf(language: Language, amount: number, currency: string): string {
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

/** The som's sign is younger than most fonts, which show a box in its place. */
const SOM = "\u20c0";

const moved = new Set<() => void>();

/** Goes to another of the shop's addresses, such as `/product/15`. */
export function go(to: string): void {
  history.pushState(null, "", BASE + to);
  moved.forEach((tell) => tell());
  scrollTo(0, 0);
  // Who cannot see the new page hears it, and goes on from its beginning.
  requestAnimationFrame(() => document.getElementById("main")?.focus({ preventScroll: true }));
}

function watchAddress(tell: () => void): () => void {
  moved.add(tell);
  addEventListener("popstate", tell);
  return () => {
    moved.delete(tell);
    removeEventListener("popstate", tell);
  };
}

/** Where the visitor is, below `/shop`. */
export function useAddress(): URL {
  const href = useSyncExternalStore(watchAddress, () => location.href);
  return useMemo(() => {
    const url = new URL(href);
    url.pathname = url.pathname.slice(BASE.length) || "/";
    return url;
  }, [href]);
}

/** A link inside the shop. */
export function Link(props: {
  to: string;
  className?: string;
  label?: string;
  current?: boolean;
  children: ReactNode;
}) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(props.to);
  };
  return (
    <a
      href={BASE + props.to}
      className={props.className}
      aria-label={props.label}
      aria-current={props.current ? "page" : undefined}
      onClick={follow}
    >
      {props.children}
    </a>
  );
}

/** What `load` answers; read again when `keys` change or on demand. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]) {
  const [state, setState] = useState<{ value?: T; error?: unknown; for?: string }>({});
  const [turn, setTurn] = useState(0);
  const newest = useRef(load);
  useEffect(() => {
    newest.current = load;
  });
  const key = JSON.stringify(keys);
  useEffect(() => {
    const ending = new AbortController();
    newest.current(ending.signal).then(
      (value) => ending.signal.aborted || setState({ value, for: key }),
      (error: unknown) => ending.signal.aborted || setState({ error, for: key }),
    );
    return () => ending.abort();
  }, [key, turn]);
  const again = useCallback(() => setTurn((turn) => turn + 1), []);
  return { ...(state.for === key ? state : {}), again } as {
    value?: T;
    error?: unknown;
    again: () => void;
  };
}

/** Runs what a button starts: one at a time, its failure in words. */
export function useAction() {
  const { why } = useShop();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const running = useRef(false);
  const run = useCallback(
    async (action: () => Promise<unknown>): Promise<boolean> => {
      if (running.current) return false;
      running.current = true;
      setBusy(true);
      setError("");
      try {
        await action();
        return true;
      } catch (caught) {
        setError(why(caught));
        return false;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    [why],
  );
  return { busy, error, run };
}
