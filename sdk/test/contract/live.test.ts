// A cart that is looked at follows what happens on other devices.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CartView, Fetch, SignedOut } from "../../src/index.js";
import { client, closeAll, newPhone, pieces, signIn, until } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

/** What React Native's own fetch gives: an answer without a stream. */
const withoutStreams: Fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return response;
  await response.body?.cancel();
  return {
    ok: true,
    status: 200,
    headers: response.headers,
    text: () => Promise.resolve(""),
  } as Response;
};

describe.each([
  ["stream", { live: "stream" as const }],
  ["poll", { live: "poll" as const, pollMs: 20 }],
  ["auto, where there are no streams", { pollMs: 20, fetch: withoutStreams }],
])("by %s", (_, options) => {
  test("a change on one device is seen on the other within a second", async () => {
    const phone = newPhone();
    const [here, there] = [client(server.url), client(server.url, options)];
    await signIn(here, phone);
    await signIn(there, phone);
    const seen: CartView[] = [];
    const stop = there.cart.subscribe((cart) => seen.push(cart));
    await until("the first cart", () => there.cart.snapshot().loaded);
    await here.cart.add(42, 2);
    await until("the add", () => pieces(there.cart.snapshot())[42] === 2, 1000);
    await here.cart.clear();
    await until("the clearing", () => there.cart.snapshot().items.length === 0, 1000);
    // Each state once, in order, and none in between.
    expect(seen.map((cart) => cart.total_items)).toEqual([0, 2, 0]);
    stop();
  });

  test("a logout on one device ends the session of the other", async () => {
    const phone = newPhone();
    const told: SignedOut[] = [];
    const here = client(server.url);
    const there = client(server.url, { ...options, onSignedOut: (ended) => told.push(ended) });
    await signIn(here, phone);
    await signIn(there, phone);
    there.cart.subscribe(() => undefined);
    await until("the first cart", () => there.cart.snapshot().loaded);
    await here.auth.logout();
    await until("the end", () => told.length > 0, 2000);
    expect(told).toMatchObject([{ code: "signed_out" }]);
    expect(there.auth.session().status).toBe("guest");
  });
});

test("a stream that is cut is opened again, and misses nothing", async () => {
  const own = await startServer();
  const phone = newPhone();
  const retry = { baseMs: 10, capMs: 100, patienceMs: 2000 };
  const [here, there] = [client(own.url, { retry }), client(own.url, { retry, live: "stream" })];
  await signIn(here, phone);
  await signIn(there, phone);
  there.cart.subscribe(() => undefined);
  await until("the first cart", () => there.cart.snapshot().loaded);
  await own.kill();
  await here.cart.add(42);
  await own.restart();
  expect(await here.sync(10_000)).toBe(0);
  await until("the add", () => pieces(there.cart.snapshot())[42] === 1);
  await own.stop();
});

test("one's own add is never shown twice, whichever of its answer and its event comes first", async () => {
  const shop = client(server.url, {
    live: "stream",
    // The answer comes after the event.
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (init.method === "POST" && input.endsWith("/cart/items")) {
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      return response;
    },
  });
  await signIn(shop);
  const shown: (number | undefined)[] = [];
  shop.cart.subscribe((cart) => shown.push(pieces(cart)[42]));
  await until("the first cart", () => shop.cart.snapshot().loaded);
  for (let count = 1; count <= 4; count += 1) await shop.cart.add(42);
  expect(Math.max(...shown.map((quantity) => quantity ?? 0))).toBe(4);
  const rising = shown.map((quantity) => quantity ?? 0);
  expect(rising).toEqual([...rising].sort((a, b) => a - b));
});

test("a stream goes on from a page that goes to the page that comes", async () => {
  let streams = 0;
  const counting: Fetch = (input, init) => {
    if (input.endsWith("/cart/events")) streams += 1;
    return fetch(input, init);
  };
  const shop = client(server.url, { live: "stream", fetch: counting });
  await signIn(shop);
  for (let page = 0; page < 3; page += 1) {
    const leave = shop.cart.subscribe(() => undefined);
    await until("the cart", () => shop.cart.snapshot().loaded && streams > 0);
    leave();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(streams).toBe(1);
});
