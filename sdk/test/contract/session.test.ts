// Tokens that end: at their time, by a logout elsewhere, with many calls on their way.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Fetch, SignedOut } from "../../src/index.js";
import { client, closeAll, newPhone, pieces, signIn, until } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

test("with many calls on their way the token is dropped once, and onSignedOut called once", async () => {
  const told: SignedOut[] = [];
  const phone = newPhone();
  const [here, there] = [
    client(server.url, { onSignedOut: (ended) => told.push(ended) }),
    client(server.url),
  ];
  await signIn(here, phone);
  await signIn(there, phone);
  await there.auth.logout();
  const calls = [
    ...Array.from({ length: 10 }, () => here.auth.profile()),
    ...Array.from({ length: 10 }, () => here.orders.list()),
  ];
  const ends = await Promise.allSettled(calls);
  expect(ends.every((end) => end.status === "rejected")).toBe(true);
  expect(told).toEqual([{ code: "signed_out", message: expect.any(String) as string }]);
  expect(here.auth.session()).toEqual({ status: "guest", user: null });
  await expect(here.auth.profile()).rejects.toMatchObject({ code: "not_authenticated" });
  expect(told).toHaveLength(1);
});

test("an add in the middle of which the token expires is in the cart after the next sign-in, once", async () => {
  const told: SignedOut[] = [];
  let isOver = false;
  // The token is good when the client takes it, and an hour old when it arrives.
  const slow: Fetch = async (input, init) => {
    const token = init.headers["Authorization"]?.slice("Bearer ".length);
    if (!isOver || token === undefined) return fetch(input, init);
    const Authorization = `Bearer ${await server.aged(token, 3600)}`;
    return fetch(input, { ...init, headers: { ...init.headers, Authorization } });
  };
  const shop = client(server.url, { fetch: slow, onSignedOut: (ended) => told.push(ended) });
  const phone = await signIn(shop);
  await shop.cart.add(42, 1);
  isOver = true;
  const kept = await shop.cart.add(42, 2);
  // The customer still sees their cart, with what they have just added.
  expect(kept).toMatchObject({ pending: 1, items: [{ sku_id: 42, quantity: 3 }] });
  expect(shop.auth.session()).toMatchObject({ status: "expired", user: { phone } });
  expect(told).toMatchObject([{ code: "token_expired" }]);
  await shop.cart.add(28, 1);
  isOver = false;
  await signIn(shop, phone);
  expect(await shop.sync(1000)).toBe(0);
  expect(pieces(shop.cart.snapshot())).toEqual({ 42: 3, 28: 1 });
  expect(told).toHaveLength(1);
});

test("a logout clears this device though the server cannot be reached, and says so", async () => {
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  };
  let isUp = true;
  const told: SignedOut[] = [];
  const shop = client(server.url, {
    storage,
    onSignedOut: (ended) => told.push(ended),
    fetch: (input, init) => (isUp ? fetch(input, init) : Promise.reject(new TypeError("offline"))),
  });
  await signIn(shop);
  await shop.cart.add(42);
  isUp = false;
  expect(await shop.auth.logout()).toMatchObject({
    server: "unreached",
    error: { code: "network" },
  });
  expect(shop.auth.session()).toEqual({ status: "guest", user: null });
  expect([...stored.values()].join()).not.toMatch(/token|sku/);
  expect(told).toEqual([]);
});

test("a server that is killed and started again keeps the session and the cart", async () => {
  const own = await startServer();
  const shop = client(own.url, { retry: { baseMs: 5, capMs: 50, attempts: 4, patienceMs: 2000 } });
  await signIn(shop);
  await shop.cart.add(42);
  await own.kill();
  expect((await shop.cart.add(42)).pending).toBe(1);
  await own.restart();
  expect(await shop.sync(10_000)).toBe(0);
  expect(pieces(await shop.cart.get())).toEqual({ 42: 2 });
  await own.stop();
});

test("a listener that calls the client, and one that throws, hold nobody up", async () => {
  const shop = client(server.url);
  const seen: string[] = [];
  shop.auth.onChange((session) => {
    seen.push(session.status);
    if (session.status === "signed_in")
      void shop.auth.profile().then(({ id }) => seen.push(String(id)));
  });
  await signIn(shop);
  const id = String(shop.auth.session().user?.id);
  await until("the profile", () => seen.includes(id));
  await shop.auth.logout();
  expect(seen).toEqual(["signed_in", id, "guest"]);
});

test("the last token goes along when its customer's phone asks for a code, and nowhere else", async () => {
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  };
  const sent: { path: string; authorization: string | undefined }[] = [];
  const shop = client(server.url, {
    storage,
    fetch: (input, init) => {
      const authorization = init.headers["Authorization"];
      sent.push({ path: new URL(input).pathname, authorization });
      return fetch(input, init);
    },
  });
  const phone = await signIn(shop);
  await shop.auth.profile();
  const authorization = sent.at(-1)?.authorization;
  expect(authorization).toMatch(/^Bearer ./);
  expect(await shop.auth.logout()).toEqual({ server: "done" });
  sent.length = 0;
  // As its customer types it, and not for a phone that somebody else types on this device.
  await shop.auth.sendCode(`(${phone.slice(2, 5)}) ${phone.slice(5)}`);
  expect(sent.at(-1)).toEqual({ path: "/auth/send-code", authorization });
  await shop.auth.sendCode(newPhone());
  await shop.auth.markets();
  await shop.products.categories();
  expect(sent.slice(1).map((each) => each.authorization)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  // It survives the page, and ends with the account.
  const later = client(server.url, {
    storage,
    fetch: (input, init) => {
      sent.push({ path: new URL(input).pathname, authorization: init.headers["Authorization"] });
      return fetch(input, init);
    },
  });
  await signIn(later, phone);
  expect(sent.some((each) => each.authorization === authorization)).toBe(true);
  const { demo_code } = await later.auth.sendCode(phone);
  await later.auth.eraseAccount(String(demo_code));
  expect([...stored.values()].join()).not.toMatch(/token/);
});
