// That everybody can use it: axe on every page in both colour schemes, the keyboard, a phone's width.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { addShirt, cartButton, expect, newPhone, signIn, test } from "./shop";

async function expectSound(page: Page, where: string): Promise<void> {
  // What slides in or fades is judged when it has arrived.
  await page.emulateMedia({ reducedMotion: "reduce" });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(" ")}`,
  );
  expect(found, where).toEqual([]);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(tooWide, `${where} is wider than the window`).toBeLessThanOrEqual(0);
}

const WINDOWS = (["light", "dark"] as const).flatMap((colorScheme) => [
  { colorScheme, viewport: { width: 360, height: 740 } },
  { colorScheme, viewport: { width: 1280, height: 800 } },
]);
for (const { colorScheme, viewport } of WINDOWS) {
  test(`every page is accessible and fits (${colorScheme}, ${viewport.width} px)`, async ({
    browser,
    server,
  }) => {
    // Each page is looked at by axe, which takes its time on a busy machine.
    test.slow();
    const context = await browser.newContext({ colorScheme, locale: "en-US", viewport });
    const page = await context.newPage();
    for (const [path, heading] of [
      ["/", "Things worth keeping."],
      ["/?q=nothing-like-this", "Nothing found"],
      ["/product/15", "Relaxed Linen Shirt"],
      ["/product/9999", "This page does not exist"],
      ["/wishlist", "Nothing on your wishlist"],
      ["/sign-in", "Sign in"],
      ["/orders", "Sign in"],
    ] as const) {
      await page.goto(`${server.url}/shop${path}`);
      await expect(page.getByRole("heading", { name: heading }).first()).toBeVisible();
      await expectSound(page, path);
    }
    await signIn(page, server, newPhone());
    await addShirt(page, server);
    await expect(page.getByRole("dialog").getByTestId("cart-total")).toBeVisible();
    await expectSound(page, "the cart");
    await page.getByRole("button", { name: "Check out" }).click();
    await page.getByLabel("Name").fill("Ada Lovelace");
    await page.getByLabel("Address").fill("1 Main Street");
    await expectSound(page, "/checkout");
    await page.getByRole("button", { name: "Place order" }).click();
    await expect(page.getByRole("heading", { name: /^Order #/ })).toBeVisible();
    await expectSound(page, "an order");
    await page.goto(`${server.url}/shop/orders`);
    await expect(page.getByText("#100").first()).toBeVisible();
    await expectSound(page, "/orders");
    await page.goto(`${server.url}/shop/account`);
    await expect(page.getByRole("heading", { name: "Addresses" })).toBeVisible();
    await expectSound(page, "/account");
    await context.close();
  });
}

test("the cart's drawer keeps the focus and gives it back", async ({ page, server }) => {
  await page.goto(`${server.url}/shop`);
  await cartButton(page).focus();
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog", { name: "Cart" });
  await expect(drawer.getByRole("button", { name: "Close" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(cartButton(page)).toBeFocused();
});
