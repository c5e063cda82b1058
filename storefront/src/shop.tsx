// What every part of the shop needs: the client of the chosen market, the language with its texts and
// amounts, and what is said to the customer.

import { createClient, type Client, type Market } from "evercart";
import { EvercartProvider } from "evercart/react";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  type ReactNode,
} from "react";
import { go } from "./address";
import { useCuts, type Cut } from "./cuts";
import { likelyMarket } from "./first";
import { dateOf, moneyOf } from "./money";
import { refusalOf, type Refusal } from "./refusals";
import { keep, stored } from "./storage";
import { keepLanguage, textsOf, type Language, type Texts } from "./texts";

const MARKET = "evercart-shop:market";

/** A language and what the shop says in it. */
export interface Spoken {
  readonly language: Language;
  readonly t: Texts;
}

export type Undo = () => Promise<unknown>;

/** What is being said to the customer; an empty text if nothing is. */
export interface Said {
  readonly text: string;
  readonly undo?: Undo | undefined;
}

interface Shop {
  readonly t: Texts;
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly market: string;
  readonly markets: readonly Market[];
  /** The market that is shown, when the server has told of it. */
  readonly here: Market | undefined;
  /** Goes to another market's shop: to its start page, or `then` to another. */
  readonly setMarket: (market: string, then?: string) => void;
  readonly money: (amount: number, currency: string) => string;
  readonly date: (text: string) => string;
  /** Shows a text for a while; with `undo`, also a button that takes back what it tells of. */
  readonly say: (text: string, undo?: Undo) => void;
  readonly said: Said;
  readonly refusalOf: (error: unknown) => Refusal;
  readonly cuts: readonly Cut[];
  /** The customer has decided about that SKU. */
  readonly settle: (sku: number) => void;
}

const Context = createContext<Shop | null>(null);

export function useShop(): Shop {
  const shop = useContext(Context);
  if (shop === null) throw new Error("useShop needs a <ShopProvider> above it");
  return shop;
}

/**
 * The market that the address names, which is chosen with it; else the one chosen before; else, where the
 * browser is a Kyrgyz one, Kyrgyzstan's, or the one that the server took the visitor for.
 */
function firstMarket(): string {
  const named = new URLSearchParams(location.search).get("market");
  if (named !== null) {
    keep("local", MARKET, named);
    return named;
  }
  const isKyrgyz =
    navigator.languages.some((name) => /^ky\b|-KG\b/i.test(name)) ||
    Intl.DateTimeFormat().resolvedOptions().timeZone === "Asia/Bishkek";
  return stored("local", MARKET) ?? (isKyrgyz ? "kg" : (likelyMarket ?? "us"));
}

/** `first` is the language to begin with, and its texts. */
export function ShopProvider(props: { first: Spoken; children: ReactNode }) {
  const [{ language, t }, speak] = useState(props.first);
  const [market, chooseMarket] = useState(firstMarket);
  const [markets, setMarkets] = useState<readonly Market[]>([]);
  const [said, setSaid] = useState<Said>({ text: "" });
  const say = useCallback((text: string, undo?: Undo) => setSaid({ text, undo }), []);
  const client = useClientOf(market);
  const money = useCallback(
    (amount: number, currency: string) => moneyOf(language, amount, currency),
    [language],
  );
  const refusal = useCallback((error: unknown) => refusalOf(error, t, money), [t, money]);
  const { cuts, settle } = useCuts(
    client,
    market,
    useCallback(() => say(t.someCut), [t, say]),
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
      client.onRefused(({ error }) => {
        if (error) say(t.notTaken(refusal(error).text));
      }),
    ];
    return () => ends.forEach((end) => end());
  }, [client, t, refusal, say]);

  const shop = useMemo<Shop>(
    () => ({
      t,
      language,
      market,
      markets,
      here: markets.find((one) => one.market === market),
      said,
      say,
      refusalOf: refusal,
      cuts,
      settle,
      setLanguage: (language) => {
        keepLanguage(language);
        textsOf(language).then(
          (t) => speak({ language, t }),
          () => say(t.unreachable),
        );
      },
      setMarket: (chosen, then = "/") => {
        keep("local", MARKET, chosen);
        chooseMarket(chosen);
        say("");
        go(then);
      },
      money,
      date: (text) => dateOf(language, text),
    }),
    [t, language, market, markets, said, say, refusal, cuts, settle, money],
  );
  return (
    <Context value={shop}>
      {/* A market is a shop of its own: nothing of one is shown in the other. */}
      <EvercartProvider key={market} client={client}>
        {props.children}
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
