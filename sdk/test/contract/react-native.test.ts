// As in React Native: AsyncStorage, no localStorage, no streams, no locks, no channel, no randomness of
// the platform's, and an app that is closed at any time.

import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Client, Fetch } from "../../src/index.js";
import { asyncStorage } from "../support/async-storage.js";
import { client, closeAll, newPhone, pieces, signIn, until } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";

let server: Server;
beforeAll(async () => {
  server = await startServer();
  for (const missing of ["crypto", "BroadcastChannel", "localStorage"]) {
    vi.stubGlobal(missing, undefined);
  }
  // Its answers have no streams. (Node's own fetch does not use the global.)
  vi.stubGlobal("Response", function Response() {
    // Nothing in it is used.
  });
  vi.stubGlobal("navigator", { product: "ReactNative" });
});
afterEach(closeAll);
afterAll(async () => {
  vi.unstubAllGlobals();
  await server.stop();
});

/** An app on a phone: it comes back with the same storage, and the network comes and goes. */
function app() {
  const storage = asyncStorage();
  const network = { isUp: true };
  const reached: Fetch = (input, init) => {
    if (input.endsWith("/cart/events"))
      throw new Error("a stream was asked for where none can be read");
    return network.isUp
      ? fetch(input, init)
      : Promise.reject(new TypeError("Network request failed"));
  };
  const nativeFetch = globalThis.fetch;
  let running: Client | undefined;
  return {
    network,
    start(): Client {
      running?.close();
      // As the platform's own, not as an option: the client has to notice what it cannot do.
      vi.stubGlobal("fetch", (input: string, init: Parameters<Fetch>[1]) =>
        input.endsWith("/cart/events") || !network.isUp
          ? reached(input, init)
          : nativeFetch(input, init),
      );
      running = client(server.url, { storage, pollMs: 20 });
      return running;
    },
    restore() {
      vi.stubGlobal("fetch", nativeFetch);
    },
  };
}

test("a phone goes through a day: guest, sign-in, tunnel, closed, opened, another device, logout", async () => {
  const phone = app();
  let shop = phone.start();
  expect(shop.auth.session().status).toBe("loading");
  expect((await shop.auth.ready()).status).toBe("guest");
  await shop.cart.add(42, 1);

  shop = phone.start();
  await shop.auth.ready();
  expect(pieces(shop.cart.snapshot())).toEqual({ 42: 1 });
  const number = await signIn(shop, newPhone());
  expect(await shop.sync(2000)).toBe(0);

  phone.network.isUp = false;
  expect((await shop.cart.add(28, 2)).pending).toBe(1);
  await shop.wishlist.add(15);
  shop = phone.start();
  expect(await shop.auth.ready()).toMatchObject({ status: "signed_in", user: { phone: number } });
  // What the server said last is kept, and what waits is made to it.
  expect(pieces(shop.cart.snapshot())).toEqual({ 42: 1, 28: 2 });
  phone.network.isUp = true;
  expect(await shop.sync(2000)).toBe(0);

  shop.cart.subscribe(() => undefined);
  const tablet = client(server.url);
  await signIn(tablet, number);
  await tablet.cart.add(43, 3);
  await until("the tablet's add", () => pieces(shop.cart.snapshot())[43] === 3);
  expect((await tablet.wishlist.get()).items).toMatchObject([{ product_id: 15 }]);

  expect(await shop.auth.logout()).toEqual({ server: "done" });
  shop = phone.start();
  expect((await shop.auth.ready()).status).toBe("guest");
  expect(shop.cart.snapshot().items).toEqual([]);
  phone.restore();
});

test("calls that are made before the storage has answered wait for it", async () => {
  const phone = app();
  const first = phone.start();
  await signIn(first);
  await first.cart.add(42);
  const next = phone.start();
  const [profile, cart] = await Promise.all([next.auth.profile(), next.cart.add(42)]);
  expect(profile.id).toBe(next.auth.session().user?.id);
  expect(pieces(cart)).toEqual({ 42: 2 });
  phone.restore();
});
