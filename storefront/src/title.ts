// What the page is called: in the tab, and said to screen readers when another page is shown.

import { useEffect, useSyncExternalStore } from "react";

const told = new Set<() => void>();
let title = "";

/** Names the page that is shown. */
export function useTitle(name: string | undefined): void {
  useEffect(() => {
    if (name === undefined) return;
    title = name;
    document.title = name === "Evercart" ? name : `${name} · Evercart`;
    told.forEach((tell) => tell());
  }, [name]);
}

/** The name of the page that is shown. */
export function usePageTitle(): string {
  return useSyncExternalStore(watch, () => title);
}

function watch(tell: () => void): () => void {
  told.add(tell);
  return () => told.delete(tell);
}
