// Has the shop kept by the service worker, so that it opens without a network.

import { useEffect } from "react";

/** How long after the first page: what that needs comes first. */
const AFTER_MS = 3_000;

const isWorth = import.meta.env.PROD && "serviceWorker" in navigator;

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL: (url: string) => string };
}

/** The worker's address, as pages that take scripts from nowhere else have to write it. */
function workerUrl(): string {
  const url = `${import.meta.env.BASE_URL}sw.js`;
  const policies = Reflect.get(window, "trustedTypes") as Policies | undefined;
  return (
    policies?.createPolicy("evercart", { createScriptURL: () => url }).createScriptURL(url) ?? url
  );
}

/** Keeps the shop and what is seen of `market`. A browser that keeps nothing still gets a shop. */
export function useOffline(market: string): void {
  useEffect(() => {
    if (!isWorth || navigator.serviceWorker.controller) return;
    const timer = setTimeout(() => {
      keep(market).catch(() => undefined);
    }, AFTER_MS);
    return () => clearTimeout(timer);
  }, [market]);
}

async function keep(market: string): Promise<void> {
  await navigator.serviceWorker.register(workerUrl());
  const { active } = await navigator.serviceWorker.ready;
  // What was seen until now it has not seen.
  const urls = performance.getEntriesByType("resource").map((one) => one.name);
  active?.postMessage({ urls, market });
}
