// What changes under a customer's cart: a price, the stock, and what is no longer for sale.

import type { Page } from "@playwright/test";
import type { Server } from "../../sdk/test/support/server";
import {
  cartButton,
  expect,
  expectCart,
  HEADER,
  newPhone,
  signIn,
  test,
  fillCheckout,
} from "./shop";

/** The tray, the bowl and the spoon: products 901 to 903 with a SKU each. */
function rows(of: { price?: string; bowls?: number; spoons?: boolean } = {}): string {
  const { price = "20.00", bowls = 9, spoons = true } = of;
  return [
    HEADER,
    `901,Walnut Tray,Northloom,Home,Oiled.,,9011,TRAY,,,${price},,9,true`,
    `902,Beech Bowl,Northloom,Home,Turned.,,9021,BOWL,,,12.00,,${bowls},true`,
    `903,Olive Spoon,Northloom,Home,Carved.,,9031,SPOON,,,5.00,,9,${spoons}`,
  ].join("\n");
}

async function put(page: Page, server: Server, product: number): Promise<void> {
  await page.goto(`${server.url}/shop/product/${product}`);
  await page.getByRole("button", { name: "Add to cart" }).click();
}

test("a cart says what changed under it, and is ordered when that is settled", async ({
  page,
  server,
}) => {
  await server.importCatalogue("us", rows());
  const phone = newPhone();
  await signIn(page, server, phone);
  for (const product of [901, 902, 903]) await put(page, server, product);
  const drawer = page.getByRole("dialog", { name: "Cart" });
  const line = (name: string) => drawer.getByRole("listitem").filter({ hasText: name });
  for (const pieces of [2, 3]) {
    await line("Beech Bowl").getByRole("button", { name: "One more" }).click();
    await expect(line("Beech Bowl").getByLabel("Quantity", { exact: true })).toHaveValue(
      String(pieces),
    );
  }
  await expectCart(server, phone, { 9011: 1, 9021: 3, 9031: 1 });

  await server.importCatalogue("us", rows({ price: "24.50", bowls: 2, spoons: false }));
  await page.reload();
  await cartButton(page).click();
  await expect(line("Walnut Tray")).toContainText("The price has changed from $20.00 to $24.50.");
  await expect(line("Beech Bowl")).toContainText("Only 2 left. Please lower the quantity.");
  await expect(line("Olive Spoon")).toContainText("No longer for sale. Please remove it.");

  // It cannot be ordered like this, and the shop says why; nothing is taken from the cart.
  await drawer.getByRole("button", { name: "Check out" }).click();
  await fillCheckout(page);
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("alert").filter({ hasText: /left|for sale/ })).toBeVisible();
  const summary = page.getByRole("complementary", { name: "Your order" });
  const inSummary = (name: string) => summary.getByRole("listitem").filter({ hasText: name });
  await expect(inSummary("Olive Spoon")).toContainText("No longer for sale.");
  await expect(inSummary("Beech Bowl")).toContainText("Only 2 left.");
  await expectCart(server, phone, { 9011: 1, 9021: 3, 9031: 1 });

  await summary.getByRole("button", { name: "Change" }).click();
  await line("Olive Spoon").getByRole("button", { name: "Remove" }).click();
  await line("Beech Bowl").getByRole("button", { name: "One less" }).click();
  await expect(drawer.getByText("Please")).toHaveCount(0);
  await expectCart(server, phone, { 9011: 1, 9021: 2 });
  await drawer.getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("complementary").getByTestId("order-total")).toHaveText("$58.49");
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: /^Order #\d+/ })).toBeVisible();
  await expectCart(server, phone, {});
});

test("a price that changes during the checkout is shown before anything is ordered", async ({
  page,
  server,
}) => {
  const row = (price: string) =>
    `${HEADER}\n904,Pine Stool,Northloom,Home,Sturdy.,,9041,STOOL,,,${price},,9,true`;
  await server.importCatalogue("us", row("40.00"));
  const phone = newPhone();
  await signIn(page, server, phone);
  await put(page, server, 904);
  await page.getByRole("dialog").getByRole("button", { name: "Check out" }).click();
  await fillCheckout(page);
  const total = page.getByRole("complementary").getByTestId("order-total");
  await expect(total).toHaveText("$49.99");
  await server.importCatalogue("us", row("45.00"));
  const place = page.getByRole("button", { name: "Place order" });
  await place.click();
  await expect(
    page.getByText("A price has changed: your order now comes to $54.99."),
  ).toBeVisible();
  await expect(total).toHaveText("$54.99");
  await expectCart(server, phone, { 9041: 1 });
  // The new total was read; a press then accepts it.
  await expect(async () => {
    // On a slow machine the press before has been answered by now.
    if (await place.isVisible()) await place.click({ timeout: 500 });
    await expect(page.getByRole("heading", { name: /^Order #/ })).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expect(page.getByRole("article").locator(".grand")).toContainText("$54.99");
});
