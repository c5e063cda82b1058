// What was acknowledged is in the cart, whatever the device's storage does; what may not be is told.

import { afterEach, expect, test } from "vitest";
import { isEvercartError } from "../../src/index.js";
import { client, closeAll, pieces } from "../support/clients.js";
import { seeded } from "../support/faults.js";
import { fakeShop } from "../../src/testing.js";
import { unreliableStorage, type StorageKind } from "../support/unreliable-storage.js";

afterEach(closeAll);

const first = Number(process.env["EVERCART_SEED"] ?? 1);
const RUNS = Number(process.env["EVERCART_RUNS"] ?? 100);
/** Lives at the same time: most of each is waiting. */
const TOGETHER = 50;
const KINDS: readonly StorageKind[] = ["listable", "synchronous", "asynchronous"];

async function run(seed: number, kind: StorageKind, signsInFirst: boolean): Promise<void> {
  const random = seeded(seed);
  const pause = () => new Promise((resolve) => setTimeout(resolve, random() * 30));
  const unreliable = unreliableStorage(seed, kind);
  const shop = fakeShop();
  let isUp = true;
  shop.instead = () => (isUp ? undefined : new TypeError("offline"));
  const told: unknown[] = [];
  const open = () =>
    client("", {
      fetch: shop.fetch,
      storage: unreliable.storage,
      storagePrefix: `fuzz${seed}`,
      guestMerge: "sum",
      live: "off",
      onStorageError: (error) => told.push(error),
    });
  const kept: Record<number, number> = {};
  const refused: Record<number, number> = {};
  let shopper = open();
  await shopper.auth.ready();
  if (signsInFirst) await shopper.auth.verifyCode("+1", "123456");
  unreliable.trouble = 0.3;
  for (let step = 0; step < 10; step += 1) {
    const what = random();
    if (what < 0.6) {
      const sku = 42 + Math.floor(random() * 3);
      await shopper.cart.add(sku).then(
        () => (kept[sku] = (kept[sku] ?? 0) + 1),
        (error: unknown) => {
          expect(isEvercartError(error, "storage"), String(error)).toBe(true);
          refused[sku] = (refused[sku] ?? 0) + 1;
        },
      );
    } else if (what < 0.75) {
      shopper.close();
      shopper = open();
    } else if (what < 0.9) isUp = !isUp;
    else unreliable.trouble = random() * 0.6;
    if (random() < 0.5) await pause();
  }
  shopper.close();
  unreliable.trouble = 0;
  isUp = true;
  await pause();
  const last = open();
  const { status } = await last.auth.ready();
  expect(status, `seed ${seed}`).toBe(signsInFirst ? "signed_in" : "guest");
  if (!signsInFirst) await last.auth.verifyCode("+1", "123456");
  expect(await last.sync(5000), `seed ${seed}`).toBe(0);
  const cart = pieces(await last.cart.get());
  for (const sku of [42, 43, 44]) {
    const least = kept[sku] ?? 0;
    const now = cart[sku] ?? 0;
    expect(now, `seed ${seed}, SKU ${sku}`).toBeGreaterThanOrEqual(least);
    expect(now, `seed ${seed}, SKU ${sku}`).toBeLessThanOrEqual(least + (refused[sku] ?? 0));
  }
  last.close();
}

test.each(KINDS.flatMap((kind) => [true, false].map((is) => [kind, is] as const)))(
  `${RUNS} lives on a storage that is %s and fails lose nothing untold (signed in: %s, from ${first})`,
  async (kind, signsInFirst) => {
    for (let seed = first; seed < first + RUNS; seed += TOGETHER) {
      const count = Math.min(TOGETHER, first + RUNS - seed);
      const lives = Array.from({ length: count }, (_, index) =>
        run(seed + index, kind, signsInFirst),
      );
      const broken = (await Promise.allSettled(lives)).find((life) => life.status === "rejected");
      if (broken) throw broken.reason as Error;
    }
  },
  600_000,
);
