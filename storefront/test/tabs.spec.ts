// Several tabs of one browser: they share a session, a queue and a stream (Web Locks, BroadcastChannel).

import type { BrowserContext, Page } from "@playwright/test";
import type { Server } from "../../sdk/test/support/server";
import {
  addShirt,
  cartButton,
  change,
  expect,
  expectCart,
  fillSignIn,
  newPhone,
  signIn,
  test,
} from "./shop";

/** Which tab has sent which change, in order, whether or not it arrived. */
function sentBy(tabs: readonly Page[]): { tab: number; key: string | undefined }[] {
  const sent: { tab: number; key: string | undefined }[] = [];
  tabs.forEach((page, tab) =>
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/cart/items"))
        sent.push({ tab, key: request.headers()["idempotency-key"] });
    }),
  );
  return sent;
}

async function twoTabs(page: Page, context: BrowserContext, server: Server) {
  const phone = newPhone();
  await signIn(page, server, phone);
  const other = await context.newPage();
  await other.goto(`${server.url}/shop`);
  await expect(other.getByRole("link", { name: "Account", exact: true })).toBeVisible();
  return { phone, other };
}

/** Presses in the drawer's place, since a drawer that is open covers the page. */
async function add(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
}

async function showShirt(page: Page, server: Server): Promise<void> {
  await page.goto(`${server.url}/shop/product/15`);
  await page.getByRole("radio", { name: "M", exact: true }).check({ force: true });
}

test("two tabs that add at once lose nothing and double nothing", async ({
  page,
  context,
  server,
}) => {
  const { phone, other } = await twoTabs(page, context, server);
  const tabs = [page, other];
  const sent = sentBy(tabs);
  await Promise.all(tabs.map((tab) => showShirt(tab, server)));
  for (let round = 0; round < 4; round += 1) await Promise.all(tabs.map(add));
  await expectCart(server, phone, { 42: 8 });
  for (const tab of tabs) await expect(cartButton(tab)).toHaveAccessibleName("Cart, 8 items");
  expect(new Set(sent.map(({ key }) => key)).size).toBe(8);
  expect(sent).toHaveLength(8);
});

test("what waits in two tabs is sent once, by one of them", async ({ page, context, server }) => {
  const { phone, other } = await twoTabs(page, context, server);
  const tabs = [page, other];
  await Promise.all(tabs.map((tab) => showShirt(tab, server)));
  await context.setOffline(true);
  for (const tab of tabs) await add(tab);
  // Each tab shows what the other has put in, though neither reaches the server.
  for (const tab of tabs) await expect(cartButton(tab)).toHaveAccessibleName("Cart, 2 items");
  await expectCart(server, phone, {});
  const sent = sentBy(tabs);
  await context.setOffline(false);
  await expectCart(server, phone, { 42: 2 });
  for (const tab of tabs) {
    await cartButton(tab).click();
    await expect(tab.getByText("Not saved yet.")).toBeHidden();
    await expect(tab.getByRole("dialog").getByTestId("cart-total")).toHaveText("$119.98");
  }
  expect(sent).toHaveLength(2);
  expect(new Set(sent.map(({ key }) => key)).size).toBe(2);
  expect(new Set(sent.map(({ tab }) => tab)).size).toBe(1);
});

test("one tab listens for all, and when it is closed another does", async ({
  page,
  context,
  server,
}) => {
  const streams = { first: 0, second: 0 };
  const count = (tab: Page, name: keyof typeof streams) =>
    tab.on("request", (request) => {
      if (request.url().endsWith("/cart/events")) streams[name] += 1;
    });
  count(page, "first");
  const phone = newPhone();
  await signIn(page, server, phone);
  await expect.poll(() => streams.first).toBeGreaterThan(0);
  const other = await context.newPage();
  count(other, "second");
  await other.goto(`${server.url}/shop`);
  // Another device changes the cart: both tabs show it, and the second has no stream of its own.
  await change(server, phone, "/cart/items", { sku_id: 42, quantity: 1 });
  for (const tab of [page, other])
    await expect(cartButton(tab)).toHaveAccessibleName("Cart, 1 item", { timeout: 5_000 });
  expect(streams.second).toBe(0);
  await page.close();
  await expect.poll(() => streams.second).toBe(1);
  await change(server, phone, "/cart/items", { sku_id: 42, quantity: 1 });
  await expect(cartButton(other)).toHaveAccessibleName("Cart, 2 items", { timeout: 5_000 });
});

test("a guest's tabs show one cart, and it is merged once", async ({ page, context, server }) => {
  const other = await context.newPage();
  await other.goto(`${server.url}/shop`);
  await addShirt(page, server);
  await expect(cartButton(other)).toHaveAccessibleName("Cart, 1 item");
  let merges = 0;
  context.on("request", (request) => {
    if (request.url().endsWith("/cart/merge")) merges += 1;
  });
  const phone = newPhone();
  await signIn(page, server, phone);
  await expect(other.getByRole("link", { name: "Account", exact: true })).toBeVisible();
  await expectCart(server, phone, { 42: 1 });
  expect(merges).toBe(1);
});

/** How often the two of them are to be right, half of it in each of two tests that run side by side. */
const ROUNDS = 50;
for (const half of ["first", "second"]) {
  test(`two tabs of a guest who signs in are right each time (${half} half)`, async ({
    browser,
    server,
  }) => {
    test.setTimeout(600_000);
    for (let round = 1; round <= ROUNDS / 2; round += 1)
      await test.step(`round ${round}`, async () => {
        const context = await browser.newContext({ locale: "en-US" });
        const [one, two] = [await context.newPage(), await context.newPage()];
        const tabs = [one, two];
        const phone = newPhone();
        // At the same moment: each tab begins as a guest of its own.
        await Promise.all(tabs.map((tab) => addShirt(tab, server)));
        await one.getByRole("dialog").getByRole("button", { name: "Sign in" }).click();
        await fillSignIn(one, phone);
        await expectBoth(tabs, 2);
        await expectCart(server, phone, { 42: 2 });
        await two.getByRole("button", { name: "One more" }).click();
        await expectBoth(tabs, 3);
        await expectCart(server, phone, { 42: 3 });
        await context.close();
      });
  });
}

async function expectBoth(tabs: readonly Page[], pieces: number): Promise<void> {
  for (const tab of tabs) {
    const head = tab.locator("header");
    await expect(head.locator('a[aria-label="Account"]')).toBeAttached();
    await expect(head.locator("button.icon")).toHaveAttribute(
      "aria-label",
      `Cart, ${pieces} items`,
    );
  }
}
