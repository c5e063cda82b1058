// Several tabs of an unkind browser do what customers do, in random order. At the end every tab must
// show the server's cart, and the server's cart must have every piece that was added, once.

import { afterEach, expect, test, vi } from "vitest";
import type { Client } from "../../src/index.js";
import { browser, type Unkind } from "../support/browser.js";
import { client, closeAll, pieces } from "../support/clients.js";
import { seeded } from "../support/faults.js";
import { fakeShop, problem } from "../../src/testing.js";

afterEach(() => {
  closeAll();
  vi.unstubAllGlobals();
});

const first = Number(process.env["EVERCART_SEED"] ?? 1);
const RUNS = Number(process.env["EVERCART_RUNS"] ?? 60);
const SKUS = [42, 43, 97];

/** One life of a browser. */
async function run(seed: number, unkind: Unkind): Promise<void> {
  const random = seeded(seed);
  const any = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const pause = () => new Promise((resolve) => setTimeout(resolve, random() * 2 * unkind.lagMs));
  const one = browser(seed, unkind);
  const shop = fakeShop();
  const refused: unknown[] = [];
  const open = () =>
    client("", {
      fetch: shop.fetch,
      storage: one.open(),
      sharedStorage: true,
      storagePrefix: `run${seed}-${unkind.lost}`,
      // Sums show what is made twice, which the larger of two would hide.
      guestMerge: "sum",
      live: "off",
      onRefused: (refusal) => refused.push(refusal),
    });
  let tabs: Client[] = [open(), open()];
  const added: Record<number, number> = {};
  const waiting: Promise<unknown>[] = [];
  const did: string[] = [];
  const add = (tab: Client, quantity: number) => {
    const sku = any(SKUS);
    added[sku] = (added[sku] ?? 0) + quantity;
    did.push(`tab ${tabs.indexOf(tab)} adds ${quantity} of ${sku}`);
    waiting.push(tab.cart.add(sku, quantity));
  };
  for (let step = 0; step < 12; step += 1) {
    const tab = any(tabs);
    const what = random();
    if (what < 0.55) add(tab, 1 + Math.floor(random() * 3));
    else if (what < 0.75) {
      did.push(`tab ${tabs.indexOf(tab)} signs in`);
      waiting.push(tab.auth.verifyCode("+1", "123456"));
    } else if (what < 0.83) {
      did.push(`tab ${tabs.indexOf(tab)} signs out`);
      waiting.push(tab.auth.logout());
    } else if (what < 0.88) {
      did.push("a token expires");
      let isFirst = true;
      shop.instead = (path, init, when) => {
        if (!isFirst || when === "after" || !init.headers["Authorization"]) return undefined;
        isFirst = false;
        return path.startsWith("/cart") ? problem(401, "token_expired") : undefined;
      };
    } else if (what < 0.94 && tabs.length < 4) {
      did.push("a tab opens");
      tabs.push(open());
    } else if (tabs.length > 1) {
      // What it has told the browser still arrives.
      did.push(`tab ${tabs.indexOf(tab)} closes`);
      await Promise.allSettled(waiting.splice(0));
      tab.close();
      tabs = tabs.filter((each) => each !== tab);
    }
    if (random() < 0.6) await pause();
  }
  await Promise.all(waiting);
  shop.instead = () => undefined;
  // Everything ends signed in: whatever waits for a sign-in is sent then.
  await one.settled();
  await any(tabs).auth.verifyCode("+1", "123456");
  await one.settled();
  const story = `seed ${seed}:\n${did.join("\n")}\n`;
  const right = JSON.stringify(sorted(added));
  const isRight = (tab: Client) =>
    tab.auth.session().status === "signed_in" &&
    tab.pending === 0 &&
    JSON.stringify(sorted(pieces(tab.cart.snapshot()))) === right;
  for (let tries = 0; tries < 100 && !tabs.every(isRight); tries += 1) {
    await Promise.all(tabs.map((tab) => tab.cart.get()));
    await pause();
  }
  expect(
    tabs.map((tab) => [tab.auth.session().status, pieces(tab.cart.snapshot())]),
    story,
  ).toEqual(tabs.map(() => ["signed_in", added]));
  expect(Object.fromEntries(shop.lines), story).toEqual(added);
  expect(refused, story).toEqual([]);
  closeAll();
}

function sorted(of: Record<number, number>): [string, number][] {
  return Object.entries(of).sort();
}

test.each<[string, Unkind]>([
  ["kind", { lagMs: 0, lost: 0, twice: 0 }],
  ["slow", { lagMs: 8, lost: 0, twice: 0 }],
  ["slow, with messages doubled and lost", { lagMs: 5, lost: 0.4, twice: 0.3 }],
  ["slow, and without locks", { lagMs: 5, lost: 0.1, twice: 0.1, locks: false }],
])(
  `${RUNS} lives of a browser that is %s end in the right cart (from seed ${first})`,
  async (_, unkind) => {
    for (let seed = first; seed < first + RUNS; seed += 1) {
      await run(seed, unkind);
      vi.unstubAllGlobals();
    }
  },
  600_000,
);
