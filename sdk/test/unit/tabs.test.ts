// Several tabs of one browser: a view of the storage each, a channel, and locks, as unkind as the platform's.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Fetch, SignedOut } from "../../src/index.js";
import { client, closeAll, pieces, until } from "../support/clients.js";
import { fakeShop, type FakeShop, problem } from "../../src/testing.js";
import { browser, type Browser } from "../support/browser.js";

let shop: FakeShop;
let ours: Browser;
let count = 0;
beforeEach(() => {
  shop = fakeShop();
  count += 1;
});
afterEach(() => {
  closeAll();
  vi.unstubAllGlobals();
});

function tab(options: Parameters<typeof client>[1] = {}) {
  const storagePrefix = `test${count}`;
  return client("", {
    fetch: shop.fetch,
    storage: ours.open(),
    sharedStorage: true,
    storagePrefix,
    live: "poll",
    pollMs: 20,
    ...options,
  });
}

function withLocks(has: boolean) {
  ours = browser(count, { lagMs: 10, lost: 0, twice: 0.2, locks: has });
}

test.each([true, false])(
  "a sign-in, an add and a logout in one tab are seen in the other (locks: %s)",
  async (has) => {
    withLocks(has);
    const [one, two] = [tab(), tab()];
    await one.auth.verifyCode("+1", "123456");
    await until("the session", () => two.auth.session().status === "signed_in");
    await one.cart.add(42);
    await until("the add", () => pieces(two.cart.snapshot())[42] === 1);
    await two.cart.add(42, 2);
    await until("the other's add", () => pieces(one.cart.snapshot())[42] === 3);
    await two.auth.logout();
    await until("the logout", () => one.auth.session().status === "guest");
    expect(one.cart.snapshot().items).toEqual([]);
  },
);

test.each([true, false])(
  "adds in all tabs at once are each sent with effect once (locks: %s)",
  async (has) => {
    withLocks(has);
    const tabs = [tab(), tab(), tab()];
    await tabs[0]?.auth.verifyCode("+1", "123456");
    await until("the session", () =>
      tabs.every((each) => each.auth.session().status === "signed_in"),
    );
    await Promise.all(tabs.flatMap((each) => Array.from({ length: 20 }, () => each.cart.add(42))));
    await Promise.all(tabs.map((each) => each.sync(2000)));
    expect(shop.lines.get(42)).toBe(60);
    await until("all to show it", () =>
      tabs.every((each) => pieces(each.cart.snapshot())[42] === 60),
    );
    if (has) expect(shop.asked.filter((each) => each.what === "POST /cart/items")).toHaveLength(60);
  },
);

test("an expiry is told once in each tab, however many calls were on their way", async () => {
  withLocks(true);
  const told: [string, SignedOut][] = [];
  const tell = (name: string) => (ended: SignedOut) => told.push([name, ended]);
  const [one, two] = [tab({ onSignedOut: tell("one") }), tab({ onSignedOut: tell("two") })];
  await one.auth.verifyCode("+1", "123456");
  await until("the session", () => two.auth.session().status === "signed_in");
  shop.instead = () => problem(401, "token_expired");
  await Promise.allSettled([one, two, one, two].map((each) => each.auth.profile()));
  await until("both", () => told.length >= 2);
  expect(told.map(([name]) => name).sort()).toEqual(["one", "two"]);
  expect(one.auth.session().status).toBe("expired");
  expect(two.auth.session().status).toBe("expired");
});

test("an add of a tab that is gone is sent by the one that is left", async () => {
  withLocks(true);
  const [one, two] = [tab(), tab()];
  await one.auth.verifyCode("+1", "123456");
  await until("the session", () => two.auth.session().status === "signed_in");
  shop.instead = () => new TypeError("offline");
  await one.cart.add(42);
  one.close();
  shop.instead = () => undefined;
  await until("to be heard of", () => two.cart.snapshot().pending > 0 || shop.lines.size > 0);
  await two.sync(2000);
  expect(shop.lines.get(42)).toBe(1);
});

test("one tab asks for all, and another takes over when it goes", async () => {
  withLocks(true);
  const [one, two] = [tab(), tab()];
  await one.auth.verifyCode("+1", "123456");
  await until("the session", () => two.auth.session().status === "signed_in");
  one.cart.subscribe(() => undefined);
  two.cart.subscribe(() => undefined);
  await until("both to know", () => one.cart.snapshot().loaded && two.cart.snapshot().loaded);
  shop.lines.set(42, 7);
  shop.version += 1;
  await until("both to see it", () =>
    [one, two].every((each) => pieces(each.cart.snapshot())[42] === 7),
  );
  one.close();
  shop.lines.set(42, 8);
  shop.version += 1;
  await until("the one that is left", () => pieces(two.cart.snapshot())[42] === 8);
});

test("what was read before another tab told of a change does not undo it", async () => {
  withLocks(true);
  // The second tab's reading is answered at once, and the answer is long on its way.
  let isRead = false;
  let arrive: () => void = () => undefined;
  const isOnItsWay = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const slow: Fetch = async (input, init) => {
    const response = await shop.fetch(input, init);
    if (init.method === "GET") {
      isRead = true;
      await isOnItsWay;
    }
    return response;
  };
  const [one, two] = [tab(), tab({ fetch: slow })];
  await one.auth.verifyCode("+1", "123456");
  await until("the session", () => two.auth.session().status === "signed_in");
  one.cart.subscribe(() => undefined);
  await until("the first to know", () => one.cart.snapshot().loaded);
  const reading = two.cart.get();
  await until("the second to ask", () => isRead);
  shop.lines.set(42, 1);
  shop.version += 1;
  await until("both to see it", () =>
    [one, two].every((each) => pieces(each.cart.snapshot())[42] === 1),
  );
  arrive();
  expect(pieces(await reading)).toEqual({ 42: 1 });
});

test("clients on storages of their own hear nothing of each other", async () => {
  withLocks(true);
  const [one, two] = [client("", { fetch: shop.fetch }), client("", { fetch: shop.fetch })];
  await one.auth.verifyCode("+1", "123456");
  await one.cart.add(42);
  expect(two.auth.session().status).toBe("guest");
  expect(two.cart.snapshot().items).toEqual([]);
});

test("another tab's news does not put off a retry", async () => {
  withLocks(true);
  const offline: Fetch = () => Promise.reject(new TypeError("offline"));
  // The news comes while a request is on its way that then fails.
  let isFirst = true;
  const failing: Fetch = async (input, init) => {
    if (input !== "/cart/items" || !isFirst) return shop.fetch(input, init);
    isFirst = false;
    void two.cart.add(43);
    await until("the news", () => one.cart.snapshot().pending === 2);
    return problem(503, "overloaded");
  };
  const one = tab({ retry: { baseMs: 300 }, fetch: failing });
  const two = tab({ fetch: offline, live: "off" });
  await one.auth.verifyCode("+1", "123456");
  await until("the session", () => two.auth.session().status === "signed_in");
  await one.cart.add(42);
  await until("the retry", () => shop.lines.get(42) === 1 && shop.lines.get(43) === 1, 3000);
});

test("tabs whose first act is an add at the same moment are one guest at sign-in", async () => {
  withLocks(true);
  const [one, two] = [tab(), tab()];
  await Promise.all([one.cart.add(42), two.cart.add(42)]);
  await until("both to show both", () =>
    [one, two].every((each) => pieces(each.cart.snapshot())[42] === 2),
  );
  shop.mergesMax = true;
  await two.auth.verifyCode("+1", "123456");
  expect(await two.sync(2000)).toBe(0);
  expect(shop.lines.get(42)).toBe(2);
  await until("the other to show it", () => pieces(one.cart.snapshot())[42] === 2);
});
