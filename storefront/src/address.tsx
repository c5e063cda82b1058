// The address bar: going to another of the shop's addresses and back, to the place that was left.

import { useMemo, useSyncExternalStore, type MouseEvent, type ReactNode } from "react";

const BASE = "/shop";

/** How long a page that is come back to may take to be as long as it was. */
const PATIENCE_MS = 5_000;

/** Where a visitor was on a page when they left it. */
interface Place {
  readonly y: number;
  /** The link that was followed. */
  readonly link: string | null;
}

const places = new Map<number, Place>();
const moved = new Set<() => void>();
let here = placeOf(history.state);
history.scrollRestoration = "manual";

/** The number of an entry in the tab's history; the first has none. */
function placeOf(state: unknown): number {
  const entry = typeof state === "object" && state !== null && "place" in state ? state.place : 0;
  return typeof entry === "number" ? entry : 0;
}

function leave(): void {
  const active = document.activeElement;
  places.set(here, {
    y: scrollY,
    link: active instanceof HTMLAnchorElement ? active.getAttribute("href") : null,
  });
}

/** Goes to another of the shop's addresses, such as `/product/15`; with `replace`, instead of this one. */
export function go(to: string, options: { replace?: boolean } = {}): void {
  leave();
  if (options.replace) history.replaceState(history.state, "", BASE + to);
  else {
    here = Date.now();
    history.pushState({ place: here }, "", BASE + to);
  }
  moved.forEach((tell) => tell());
  scrollTo(0, 0);
  // Who cannot see the new page hears it, and goes on from its beginning.
  requestAnimationFrame(focusMain);
}

function focusMain(): void {
  document.getElementById("main")?.focus({ preventScroll: true });
}

addEventListener("popstate", (event) => {
  leave();
  here = placeOf(event.state);
  moved.forEach((tell) => tell());
  const place = places.get(here);
  if (place) returnTo(place, performance.now() + PATIENCE_MS);
  else scrollTo(0, 0);
});

/** Scrolls to where the visitor was, as soon as the page is that long, and focuses the link they followed. */
function returnTo(place: Place, until: number): void {
  const at = here;
  const link = [...document.querySelectorAll<HTMLAnchorElement>("main a")].find(
    (one) => one.getAttribute("href") === place.link,
  );
  const isThere =
    document.documentElement.scrollHeight >= place.y + innerHeight &&
    (link !== undefined || place.link === null);
  if (!isThere && performance.now() < until) {
    requestAnimationFrame(() => {
      if (here === at) returnTo(place, until);
    });
    return;
  }
  scrollTo(0, place.y);
  if (link) link.focus({ preventScroll: true });
  else focusMain();
}

/** Keeps something of this page with its entry in the history: it is there again after Back. */
export function keepHere(name: string, value: number): void {
  history.replaceState({ ...history.state, [name]: value }, "");
}

/** What `keepHere` kept. */
export function keptHere(name: string): number | undefined {
  const value: unknown = history.state?.[name];
  return typeof value === "number" ? value : undefined;
}

/** Says more of this page in its address: the page stays, and so do the other parameters. */
export function sayHere(name: string, value: string): void {
  const url = new URL(location.href);
  url.searchParams.set(name, value);
  history.replaceState(history.state, "", url);
  moved.forEach((tell) => tell());
}

function watchAddress(tell: () => void): () => void {
  moved.add(tell);
  return () => moved.delete(tell);
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

/** The way to the sign-in and back to where the visitor is. */
export function useSignInLink(): string {
  const { pathname, search } = useAddress();
  if (pathname === "/sign-in") return `/sign-in${search}`;
  return `/sign-in?then=${encodeURIComponent(pathname + search)}`;
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
