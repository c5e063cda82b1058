// Without a network: the shop opens with what was seen last, and nothing of a customer's is kept for that.

import { createServer, request as ask, type Server as Proxy } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { addShirt, cartButton, expect, newPhone, test, toCheckout } from "./shop";

test.use({ serviceWorkers: "allow" });

/** Waits until a worker answers for the page. */
async function untilKept(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state))
    .toBe("activated");
}

/** What is kept, by its address. */
function keptIn(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    const found: Record<string, string> = {};
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const { url } of await cache.keys())
        found[url] = (await (await cache.match(url))?.text()) ?? "";
    }
    return found;
  });
}

test("the shop opens without a network, with what was seen of it", async ({
  page,
  context,
  server,
}) => {
  await page.goto(`${server.url}/shop/`);
  const shirt = page.getByRole("link", { name: /Relaxed Linen Shirt/ });
  await expect(shirt).toBeVisible();
  await untilKept(page);
  // What came before there was a worker is kept a moment later.
  await expect.poll(async () => Object.keys(await keptIn(page)).join()).toContain("/products?");
  await page.getByRole("link", { name: "Clothing" }).click();
  await shirt.click();
  await page.getByRole("radio", { name: "M", exact: true }).check({ force: true });
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.keyboard.press("Escape");
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Relaxed Linen Shirt", level: 1 })).toBeVisible();
  await expect(page.getByText("You are offline.")).toBeVisible();
  await expect(cartButton(page)).toHaveAccessibleName("Cart, 1 item");
  await page.goto(`${server.url}/shop/`);
  // Other walks may have added to the catalogue.
  await expect(page.getByText(/^\d+ products$/)).toBeAttached();
  const picture = shirt.locator("img");
  await picture.scrollIntoViewIfNeeded();
  await expect
    .poll(() => picture.evaluate((one) => one instanceof HTMLImageElement && one.naturalWidth))
    .toBeGreaterThan(0);
  // All of the shop is there, also what nobody has opened yet; what only the server knows is not.
  await page.getByRole("link", { name: "Privacy" }).click();
  await expect(page.getByRole("heading", { name: "Privacy", level: 1 })).toBeVisible();
  await page.goto(`${server.url}/shop/product/29`);
  await expect(page.getByText("The shop cannot be reached.")).toBeVisible();
  await context.setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("button", { name: "Add to cart" })).toBeVisible();
});

test("each market has its own", async ({ page, context, server }) => {
  await page.goto(`${server.url}/shop/`);
  await untilKept(page);
  for (const [market, price] of [
    ["kg", "KGS"],
    ["us", "$"],
  ] as const) {
    await page.getByLabel("Country").selectOption(market);
    await expect(page.locator(".card .price").first()).toContainText(price);
  }
  await context.setOffline(true);
  await page.reload();
  await expect(page.locator(".card .price").first()).toContainText("$");
  await page.getByLabel("Country").selectOption("kg");
  await expect(page.locator(".card .price").first()).toContainText("KGS");
});

test("nothing of a customer's is kept", async ({ page, context, server }) => {
  const phone = newPhone();
  await page.goto(`${server.url}/shop/`);
  await untilKept(page);
  await toCheckout(page, server, phone);
  await page.getByLabel("Keep it for next time").check();
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible();
  await addShirt(page, server);
  for (const path of ["/cart", "/orders", "/account", "/wishlist", ""]) {
    await page.goto(`${server.url}/shop${path}`);
    await expect(page.locator("h1")).toBeVisible();
  }
  await page.goto(`${server.url}/shop/account`);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  const kept = await keptIn(page);
  const own = /^\/(shop\/(index\.html|icon\.svg|assets\/[^/]+)|demo\/images\/[^/]+)$/;
  const open = /^\/(products(\/\d+)?|categories|auth\/markets)$/;
  for (const url of Object.keys(kept)) {
    const { pathname } = new URL(url);
    expect(own.test(pathname) || open.test(pathname), url).toBe(true);
  }
  expect(Object.keys(kept).length).toBeGreaterThan(20);
  const texts = Object.entries(kept).filter(([url]) => !own.test(new URL(url).pathname));
  for (const [url, text] of texts)
    for (const secret of [phone, "Lovelace", "1 Main Street", "total_items", "access_token"])
      expect(text.includes(secret), `${url} has ${secret}`).toBe(false);
  await context.setOffline(true);
  await page.reload();
  await expect(cartButton(page)).toHaveAccessibleName("Cart, 0 items");
});

test("another version takes over as a whole, when no page of the one before is open", async ({
  page,
  context,
  server,
}) => {
  /** What the shop is deployed as: how its files are changed on their way. */
  let deployed = (_path: string, text: string) => text;
  const proxy = await proxyOf(server.url, (path, text) => deployed(path, text));
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/shop/`;
  const shells = (of: Page) =>
    of.evaluate(async () => (await caches.keys()).filter((one) => one.includes("shell")));
  const update = (of: Page) =>
    of.evaluate(async () => {
      const found = await navigator.serviceWorker.getRegistration();
      await found?.update().catch(() => undefined);
    });
  const state = (of: Page) =>
    of.evaluate(async () => {
      const found = await navigator.serviceWorker.getRegistration();
      return found?.waiting ? "waiting" : found?.installing ? "installing" : "none";
    });
  await page.goto(url);
  await untilKept(page);
  const [first = ""] = await shells(page);
  expect(await shells(page)).toHaveLength(1);

  // In the middle of a deployment: the worker's list and the page do not fit together.
  const renamed = (text: string) => text.replace(/VERSION = "[^"]+"/, 'VERSION = "second"');
  deployed = (path, text) =>
    path.endsWith("sw.js")
      ? renamed(text)
      : path.endsWith("index.html")
        ? text.replace(/assets\/index-/, "assets/newer-")
        : text;
  await update(page);
  await expect.poll(() => state(page)).toBe("none");
  expect(await shells(page)).toEqual([first]);

  deployed = (path, text) => (path.endsWith("sw.js") ? renamed(text) : text);
  await update(page);
  await expect.poll(() => state(page)).toBe("waiting");
  expect((await shells(page)).sort()).toEqual([first, "evercart-shell-second"].sort());
  await page.reload();
  await expect(page.locator(".card").first()).toBeVisible();
  expect(await state(page)).toBe("waiting");
  // The page before it is closed: the next one finds the new version, and only that.
  await page.goto("about:blank");
  const next = await context.newPage();
  await next.goto(url);
  await expect.poll(() => shells(next)).toEqual(["evercart-shell-second"]);
  await context.setOffline(true);
  await next.reload();
  await expect(next.locator(".card").first()).toBeVisible();
  await context.setOffline(false);
  proxy.closeAllConnections();
  proxy.close();
});

/** A server before the real one, which changes what the shop's files are on their way. */
async function proxyOf(target: string, change: (path: string, text: string) => string) {
  const proxy: Proxy = createServer((question, response) => {
    const path = question.url ?? "/";
    const headers = {
      ...question.headers,
      "accept-encoding": "identity",
      host: new URL(target).host,
    };
    const asked = ask(`${target}${path}`, { method: question.method, headers }, (answer) => {
      const isFile = /\/(sw\.js|index\.html)$/.test(path);
      const said = { ...answer.headers };
      // What is changed has another length.
      if (isFile) delete said["content-length"];
      response.writeHead(answer.statusCode ?? 502, said);
      if (!isFile) return void answer.pipe(response);
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => response.end(change(path, text)));
    });
    asked.on("error", () => response.destroy());
    question.pipe(asked);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return proxy;
}
