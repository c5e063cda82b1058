// What the SDK makes of storages that fail, and of what they say.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isEvercartError, type Storage } from "../../src/index.js";
import { asyncStorage } from "../support/async-storage.js";
import { client, closeAll, pieces, until } from "../support/clients.js";
import { fakeShop, type FakeShop } from "../../src/testing.js";
import { webStorage } from "../support/web-storage.js";

let shop: FakeShop;
beforeEach(() => {
  shop = fakeShop();
  shop.tokenOf("+1");
});
afterEach(() => {
  closeAll();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const QUEUE = "evercart:us:queue";
const SESSION = "evercart:us:session";
const kept = (key: string, sku_id: number) => ({
  key,
  owner: 1,
  change: { kind: "add", sku_id, quantity: 1 },
});
const session = JSON.stringify({ token: "token1", user: { id: 1, phone: "+1" } });

test("a storage that cannot be read at first is read later, and nothing is written over it", async () => {
  const under = asyncStorage();
  await under.setItem(SESSION, session);
  await under.setItem(QUEUE, JSON.stringify([kept("000000001-a", 42)]));
  let fails = true;
  const told: unknown[] = [];
  const storage: Storage = {
    ...under,
    getItem: (key) =>
      fails ? Promise.reject(new Error("User interaction is not allowed")) : under.getItem(key),
  };
  const mine = client("", {
    fetch: shop.fetch,
    storage,
    onStorageError: (error) => told.push(error),
  });
  await mine.auth.ready();
  expect(mine.auth.session().status).toBe("loading");
  await expect(mine.cart.add(43)).rejects.toMatchObject({ code: "storage" });
  fails = false;
  await until("the session", () => mine.auth.session().status === "signed_in");
  expect(told.length).toBeGreaterThan(0);
  await mine.cart.add(44);
  expect(await mine.sync(2000)).toBe(0);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 1, 44: 1 });
});

test("a read that never ends is a read that failed", async () => {
  const under = asyncStorage();
  await under.setItem(SESSION, session);
  let hangs = true;
  const storage: Storage = {
    ...under,
    getItem: (key) => (hangs ? new Promise<string>(() => undefined) : under.getItem(key)),
  };
  const mine = client("", { fetch: shop.fetch, storage, onStorageError: () => (hangs = false) });
  await mine.auth.ready();
  await until("the session", () => mine.auth.session().status === "signed_in", 8000);
});

test.each([
  ["a list with nothing in it but null", "[null]"],
  ["a record of another kind beside a good one", null],
])("%s is read as far as it makes sense, and kept", async (_, text) => {
  const storage = webStorage();
  storage.setItem(SESSION, session);
  storage.setItem(`${QUEUE}:000000001-a`, text ?? `{"key":5}`);
  storage.setItem(`${QUEUE}:000000002-b`, JSON.stringify(kept("000000002-b", 42)));
  vi.spyOn(console, "warn").mockReturnValue();
  const mine = client("", { fetch: shop.fetch, storage });
  expect(mine.auth.session().status).toBe("signed_in");
  expect(await mine.sync(2000)).toBe(0);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 1 });
  expect(storage.getItem(`${QUEUE}:000000001-a`)).not.toBeNull();
});

test("a list that makes no sense at all is put aside, not written over", async () => {
  const storage = asyncStorage();
  await storage.setItem(SESSION, session);
  await storage.setItem(QUEUE, "[{");
  const mine = client("", { fetch: shop.fetch, storage, onStorageError: () => undefined });
  await until("the session", () => mine.auth.session().status === "signed_in");
  await vi.waitFor(
    async () => {
      await mine.cart.add(42);
      expect(await storage.getItem(`${QUEUE}.unread`)).toBe("[{");
    },
    { timeout: 8000, interval: 100 },
  );
});

test("a guest's change that is not kept is told, and not shown", async () => {
  const mine = client("", {
    fetch: shop.fetch,
    storage: webStorage(60),
    onStorageError: () => undefined,
  });
  await expect(mine.cart.add(42)).rejects.toMatchObject({ code: "storage" });
  expect(mine.cart.snapshot().items).toEqual([]);
});

test("a customer's change that is not kept is told when it cannot be sent at once", async () => {
  const storage = webStorage();
  const mine = client("", { fetch: shop.fetch, storage, onStorageError: () => undefined });
  await mine.auth.verifyCode("+1", "123456");
  vi.spyOn(storage, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  expect((await mine.cart.add(42)).pending).toBe(0);
  shop.instead = () => new TypeError("offline");
  const error: unknown = await mine.cart.add(42).catch((thrown: unknown) => thrown);
  expect(isEvercartError(error, "storage")).toBe(true);
  // Its outcome is not known: it is still shown, and sent with its key while the page lives.
  expect(pieces(mine.cart.snapshot())).toEqual({ 42: 2 });
  shop.instead = () => undefined;
  expect(await mine.sync(2000)).toBe(0);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 2 });
});

test("a full localStorage is read all the same", async () => {
  const full = webStorage();
  full.setItem(SESSION, session.replace('"t"', '"kept"'));
  vi.spyOn(full, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  vi.spyOn(console, "warn").mockReturnValue();
  vi.stubGlobal("localStorage", full);
  vi.stubGlobal("document", { addEventListener: () => undefined });
  const { createClient } = await import("../../src/index.js");
  const mine = createClient({ url: "", market: "us", fetch: shop.fetch });
  expect(mine.auth.session().status).toBe("signed_in");
  mine.close();
});

test("tabs on one asynchronous storage lose no add, also without locks", async () => {
  vi.stubGlobal("navigator", {});
  const storage = asyncStorage();
  await storage.setItem(SESSION, session);
  shop.instead = () => new TypeError("offline");
  const options = { fetch: shop.fetch, storage, sharedStorage: true, live: "off" } as const;
  const tabs = [client("", options), client("", options), client("", options)];
  await Promise.all(tabs.map((tab) => tab.auth.ready()));
  const twenty = Array.from({ length: 20 }, (_, index) => tabs[index % tabs.length]);
  await Promise.all(twenty.map((tab) => tab?.cart.add(42) ?? Promise.reject(new Error("no tab"))));
  closeAll();
  shop.instead = () => undefined;
  const next = client("", options);
  await next.auth.ready();
  expect(await next.sync(2000)).toBe(0);
  expect(Object.fromEntries(shop.lines)).toEqual({ 42: 20 });
});

test("a second client on the same storage is warned of, unless it says that there are more", () => {
  const told: unknown[] = [];
  const storage = webStorage();
  const warned = vi.spyOn(console, "warn").mockImplementation((text) => told.push(text));
  client("", { storage }).close();
  client("", { storage });
  client("", { storage, market: "kg" });
  expect(told).toEqual([]);
  client("", { storage });
  expect(warned).toHaveBeenCalledTimes(1);
});
