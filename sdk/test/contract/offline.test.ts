// What is added without a network, or over a bad one, is in the cart once: against the real server.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { memoryStorage, type Storage } from "../../src/index.js";
import { client, closeAll, pieces, signIn, until } from "../support/clients.js";
import { asyncStorage } from "../support/async-storage.js";
import { webStorage } from "../support/web-storage.js";
import { faultyNetwork, seeded } from "../support/faults.js";
import { startServer, type Server } from "../support/server.js";

const FAULTS = {
  lostRequest: 0.1,
  lostAnswer: 0.1,
  duplicate: 0.1,
  delay: 0.2,
  overloaded: 0.05,
  captivePortal: 0.03,
};
/** SKUs of the demo with enough in stock for a share of the adds each. */
const SKUS = [42, 97, 43, 28];

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

const seed = Number(process.env["EVERCART_SEED"] ?? Date.now() % 1e9);

test.each([
  [1000, "localStorage", webStorage],
  [200, "AsyncStorage", asyncStorage],
  [200, "three functions", memoryStorage],
] as [number, string, () => Storage][])(
  `%i offline adds end in exactly the right cart, kept in %s (seed ${seed})`,
  async (adds, _, storageOf) => {
    const random = seeded(seed);
    const network = faultyNetwork(seed, FAULTS);
    const storage = storageOf();
    // Signed in over a good network: a hotel's page has no code in it.
    const before = client(server.url, { storage });
    await signIn(before);
    before.close();
    let shop = client(server.url, { storage, fetch: network.fetch });
    await shop.auth.ready();
    const wanted: Record<number, number> = {};

    network.isUp = false;
    const added: Promise<unknown>[] = [];
    for (let index = 0; index < adds; index += 1) {
      const sku = SKUS[Math.floor(random() * SKUS.length)] ?? 1;
      added.push(shop.cart.add(sku));
      wanted[sku] = (wanted[sku] ?? 0) + 1;
    }
    await Promise.all(added);
    expect(pieces(shop.cart.snapshot())).toEqual(wanted);
    expect(shop.pending).toBe(adds);

    // The app is closed and opened again, in the middle of sending, too.
    network.isUp = true;
    for (let left = adds; left > 0;) {
      shop.close();
      shop = client(server.url, { storage, fetch: network.fetch });
      await shop.auth.ready();
      expect(shop.pending).toBeLessThanOrEqual(left);
      const enough = left > adds / 3 ? left - Math.ceil(adds / 4) : 0;
      void shop.sync(60_000);
      left = await until(
        "the queue to shorten",
        () => shop.pending <= enough && { now: shop.pending },
        60_000,
      ).then(({ now }) => now);
    }
    await network.quiet();

    const fresh = client(server.url, { storage });
    const cart = await fresh.cart.get();
    expect(cart.pending).toBe(0);
    expect(pieces(cart)).toEqual(wanted);
    expect(Object.values(network.happened).every((times) => times > 0)).toBe(true);
  },
  120_000,
);
