// What a guest had collected and the cart could not take over when they signed in: told at the line until
// the customer has changed it.

import type { Client } from "evercart";
import { useCallback, useEffect, useState } from "react";
import { keep, stored } from "./storage";

export interface Cut {
  readonly sku_id: number;
  readonly name: string;
  /** How many pieces there were before. */
  readonly wanted: number;
  readonly reason: string;
}

const KEY = "evercart-shop:cuts:";

/** The cuts of this tab's latest sign-in, and how they are settled. */
export function useCuts(client: Client, market: string, say: () => void) {
  const key = KEY + market;
  const [state, setState] = useState(() => ({ key, cuts: read(key) }));
  const cuts = state.key === key ? state.cuts : read(key);
  const change = useCallback(
    (next: (before: readonly Cut[]) => readonly Cut[]) => {
      const cuts = next(read(key));
      keep("session", key, cuts.length > 0 ? JSON.stringify(cuts) : null);
      setState({ key, cuts });
    },
    [key],
  );
  useEffect(
    () =>
      client.onRefused(({ change: what, skipped }) => {
        if (what.kind !== "merge" || skipped.length === 0) return;
        const found = skipped.map(({ sku_id, reason }) => ({
          sku_id,
          reason,
          name: what.details?.[sku_id]?.name ?? "",
          wanted: what.items.find((item) => item.sku_id === sku_id)?.quantity ?? 0,
        }));
        change((before) => [...before.filter((one) => !found.some(isOf(one.sku_id))), ...found]);
        say();
      }),
    [client, change, say],
  );
  useEffect(
    () => client.auth.onChange(({ status }) => status === "guest" && change(() => [])),
    [client, change],
  );
  const settle = useCallback(
    (sku: number) => change((before) => before.filter((one) => one.sku_id !== sku)),
    [change],
  );
  return { cuts, settle };
}

const isOf = (sku: number) => (cut: Cut) => cut.sku_id === sku;

function read(key: string): readonly Cut[] {
  try {
    const found: unknown = JSON.parse(stored("session", key) ?? "[]");
    return Array.isArray(found) ? found.filter(isCut) : [];
  } catch {
    return [];
  }
}

function isCut(found: unknown): found is Cut {
  const fields = { sku_id: "number", name: "string", wanted: "number", reason: "string" };
  if (typeof found !== "object" || found === null) return false;
  const entries = new Map(Object.entries(found));
  return Object.entries(fields).every(([name, type]) => typeof entries.get(name) === type);
}
