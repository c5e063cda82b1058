// Headers, keys and waits.

import { afterEach, expect, test, vi } from "vitest";
import { EvercartError, isEvercartError, type FetchInit, type LogEntry } from "../../src/index.js";
import { newKey, RETRY, waitMs } from "../../src/http.js";
import { client, closeAll } from "../support/clients.js";
import { json, problem } from "../../src/testing.js";

afterEach(() => {
  closeAll();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a request says its market, and the platform's fetch is called as the platform wants it", async () => {
  const asked: [string, FetchInit][] = [];
  vi.stubGlobal("fetch", function (this: unknown, input: string, init: FetchInit) {
    if (this !== undefined && this !== globalThis) throw new TypeError("Illegal invocation");
    asked.push([input, init]);
    return Promise.resolve(json({ products: [], total: 0, has_more: false }));
  });
  await client("https://shop.example/", { market: "kg" }).products.search({
    search: "a b&c",
    limit: 5,
  });
  expect(asked).toMatchObject([
    [
      "https://shop.example/products?search=a%20b%26c&limit=5",
      { method: "GET", headers: { "X-Market": "kg" } },
    ],
  ]);
  expect(asked[0]?.[1].headers).not.toHaveProperty("Authorization");
});

test("an app's own headers go along and replace none of the client's", async () => {
  const asked: FetchInit[] = [];
  let version = 1;
  const shop = client("", {
    headers: () => ({ "X-App-Version": `1.${version}`, "x-market": "kg", accept: "text/html" }),
    fetch: (_, init) => {
      asked.push(init);
      return Promise.resolve(json({ products: [], total: 0, has_more: false }));
    },
  });
  await shop.products.search();
  version = 2;
  await shop.products.search();
  expect(asked.map((init) => init.headers)).toEqual([
    { Accept: "application/*", "X-Market": "us", "X-App-Version": "1.1" },
    { Accept: "application/*", "X-Market": "us", "X-App-Version": "1.2" },
  ]);
});

test("a logger hears of each request what became of it, and nothing secret", async () => {
  const log: LogEntry[] = [];
  let tries = 0;
  const shop = client("https://shop.example", {
    logger: (entry) => log.push(entry),
    fetch: () => {
      tries += 1;
      if (tries === 1) return Promise.reject(new TypeError("no network"));
      const found = json({ products: [], total: 0, has_more: false });
      found.headers.set("X-Request-Id", "r-1");
      return Promise.resolve(found);
    },
  });
  await shop.products.search({ search: "private" });
  expect(log).toMatchObject([
    { method: "GET", path: "/products" },
    { method: "GET", path: "/products", status: 200, requestId: "r-1" },
  ]);
  expect(log[0]?.error).toBeInstanceOf(TypeError);
  expect(JSON.stringify(log)).not.toContain("private");
});

test("problems become errors with their code, facts and request id", async () => {
  const body = {
    code: "insufficient_stock",
    detail: "only 1 left",
    status: 409,
    available: 1,
    sku_id: 42,
    request_id: "r1",
  };
  const shop = client("", { fetch: () => Promise.resolve(json(body, 409)) });
  const error: unknown = await shop.products.get(1).catch((thrown: unknown) => thrown);
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({
    name: "EvercartError",
    code: "insufficient_stock",
    message: "only 1 left",
    requestId: "r1",
    facts: { available: 1, sku_id: 42 },
  });
  expect(isEvercartError(error)).toBe(true);
  expect(isEvercartError(error, "price_changed")).toBe(false);
  expect(isEvercartError(new Error("other"))).toBe(false);
});

test.each(["", "<h1>Welcome to our hotel</h1>", "{}"])(
  "nobody is signed in by a page in the shop's place: %j",
  async (page) => {
    const shop = client("", { fetch: () => Promise.resolve(new Response(page)) });
    const sent = shop.auth.verifyCode("+13128059851", "123456");
    await expect(sent).rejects.toMatchObject({ code: "network" });
    expect(shop.auth.session().user).toBeNull();
  },
);

test("waits grow, are spread, and are never shorter than the server asked for", () => {
  const away = new EvercartError("network", "");
  for (let attempt = 1; attempt < 30; attempt += 1) {
    const most = Math.min(RETRY.capMs, RETRY.baseMs * 2 ** (attempt - 1));
    const wait = waitMs(away, attempt, RETRY);
    expect(wait).toBeGreaterThanOrEqual(most / 2);
    expect(wait).toBeLessThanOrEqual(most);
  }
  const asked = new EvercartError("overloaded", "", { status: 503, retryAfterMs: 7000 });
  expect(waitMs(asked, 1, RETRY)).toBeGreaterThanOrEqual(7000);
});

test("Retry-After may be a date", async () => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z"), toFake: ["Date"] });
  const headers = { "Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT" };
  const shop = client("", { fetch: () => Promise.resolve(problem(429, "rate_limited", headers)) });
  await expect(shop.auth.sendCode("+1")).rejects.toMatchObject({ retryAfterMs: 60_000 });
});

test("keys sort as they were made, also after the clock was set back", () => {
  vi.useFakeTimers({ now: 1e12, toFake: ["Date"] });
  const keys = Array.from({ length: 1000 }, () => newKey());
  const last = keys.at(-1) ?? "";
  vi.setSystemTime(9e11);
  keys.push(newKey(last));
  expect(keys).toEqual([...keys].sort());
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => /^[\x21-\x7e]{1,255}$/.test(key))).toBe(true);
});
