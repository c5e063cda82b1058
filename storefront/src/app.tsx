// The shop's frame: header, the page of the address, footer, and what is said at its edges.

import { useCart, useSession, useWishlist } from "evercart/react";
import { useEffect, useState, useSyncExternalStore, type FormEvent } from "react";
import { go, Link, useAddress, useSignInLink } from "./address";
import { Browse } from "./browse";
import { CartDrawer } from "./cart";
import styles from "./app.module.css";
import { dropDrafts } from "./draft";
import { focusHome } from "./focus";
import {
  Account,
  CartPage,
  Checkout,
  loadLater,
  OrderPage,
  Orders,
  LegalPage,
  ProductPage,
  SignInPage,
  Wishlist,
} from "./later";
import { countryOf } from "./money";
import { useOffline } from "./offline";
import { BagIcon, Empty, HeartIcon, PersonIcon, SearchIcon } from "./pieces";
import { useShop } from "./shop";
import { Toast } from "./toast";
import { isLanguage, LANGUAGES, TOPICS } from "./texts";
import { usePageTitle } from "./title";

export function App() {
  const { t, market } = useShop();
  const { status } = useSession();
  const title = usePageTitle();
  const [cartOpen, setCartOpen] = useState(false);
  const { pathname } = useAddress();
  const openCart = () => {
    if (pathname !== "/cart") return setCartOpen(true);
    scrollTo(0, 0);
    focusHome("main");
  };
  useEffect(loadLater, []);
  useOffline(market);
  useEffect(() => {
    if (status === "guest") dropDrafts();
  }, [status]);
  const isOnline = useSyncExternalStore(
    (tell) => {
      addEventListener("online", tell);
      addEventListener("offline", tell);
      return () => {
        removeEventListener("online", tell);
        removeEventListener("offline", tell);
      };
    },
    () => navigator.onLine,
  );
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <div role="status">{!isOnline && <p className="banner">{t.offline}</p>}</div>
      <Header openCart={openCart} />
      <main id="main" tabIndex={-1}>
        <Page openCart={openCart} />
      </main>
      <Footer />
      <CartDrawer open={cartOpen} close={() => setCartOpen(false)} />
      <p className="unseen" role="status" data-testid="page-title">
        {title}
      </p>
      <CartVoice />
      {/* What is not in an open dialog cannot be reached. */}
      {!cartOpen && <Toast home="main" />}
    </>
  );
}

function Page({ openCart }: { openCart: () => void }) {
  const { t } = useShop();
  const { user } = useSession();
  const { pathname } = useAddress();
  // What one customer has typed or been shown is not the next one's.
  const whose = user?.id;
  const [, name, id] = pathname.split("/");
  const number = Number(id);
  if (!name) return <Browse />;
  if (name === "product" && number > 0)
    return <ProductPage key={number} id={number} openCart={openCart} />;
  if (name === "cart") return <CartPage />;
  if (name === "wishlist") return <Wishlist openCart={openCart} />;
  if (name === "sign-in") return <SignInPage />;
  if (name === "checkout") return <Checkout key={whose} openCart={openCart} />;
  if (name === "orders")
    return number > 0 ? <OrderPage key={`${whose}/${id}`} id={number} /> : <Orders key={whose} />;
  if (name === "account") return <Account key={whose} />;
  const topic = TOPICS.find((one) => one === name && id === undefined);
  if (topic) return <LegalPage key={topic} topic={topic} />;
  return <Empty title={t.missing} text={t.missingHelp} />;
}

function Header({ openCart }: { openCart: () => void }) {
  const { t } = useShop();
  const { signedIn } = useSession();
  const { cart } = useCart();
  const { wishlist } = useWishlist();
  const address = useAddress();
  const signInLink = useSignInLink();
  const query = address.searchParams.get("q") ?? "";
  const search = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get("q")).trim();
    go(text ? `/?q=${encodeURIComponent(text)}` : "/");
  };
  return (
    <header className="top">
      <Link to="/" className="logo" label={t.home}>
        <BagIcon />
        <span>Evercart</span>
      </Link>
      <form role="search" onSubmit={search} className="search">
        <SearchIcon />
        <input
          key={query}
          name="q"
          type="search"
          defaultValue={query}
          aria-label={t.searchHint}
          placeholder={t.searchHint}
        />
      </form>
      <nav aria-label={t.account}>
        <Link to="/wishlist" className="icon" label={`${t.wishlist}, ${wishlist.total_items}`}>
          <HeartIcon />
          {wishlist.total_items > 0 && <b aria-hidden="true">{wishlist.total_items}</b>}
        </Link>
        <Link
          to={signedIn ? "/account" : signInLink}
          className="icon"
          label={signedIn ? t.account : t.signIn}
        >
          <PersonIcon />
        </Link>
        <button
          type="button"
          className="icon"
          onClick={openCart}
          aria-label={t.cartCount(cart.total_items)}
        >
          <BagIcon />
          {cart.total_items > 0 && <b aria-hidden="true">{cart.total_items}</b>}
        </button>
      </nav>
    </header>
  );
}

function Footer() {
  const { t, language, setLanguage, market, markets, setMarket } = useShop();
  return (
    <footer>
      <p>{t.demo}</p>
      <nav aria-label={t.legal} className={styles.legal}>
        {TOPICS.map((topic) => (
          <Link key={topic} to={`/${topic}`}>
            {t.topics[topic]}
          </Link>
        ))}
      </nav>
      <label>
        {t.market}
        <select value={market} onChange={(event) => setMarket(event.target.value)}>
          {markets.map((one) => (
            <option key={one.market} value={one.market}>
              {countryOf(language, one)} ({one.currency_code})
            </option>
          ))}
        </select>
      </label>
      <label>
        {t.language}
        <select
          value={language}
          onChange={(event) => isLanguage(event.target.value) && setLanguage(event.target.value)}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}

/** Tells screen readers what the cart holds now, whoever changed it. */
function CartVoice() {
  const { t, money } = useShop();
  const { cart } = useCart();
  return (
    <p className="unseen" role="status">
      {cart.loaded &&
        (cart.total_items > 0
          ? t.cartIs(cart.total_items, money(cart.total_price, cart.currency))
          : t.cartEmpty)}
    </p>
  );
}
