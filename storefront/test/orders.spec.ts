// What comes around an order: where it goes, the thanks, its lines, and buying the same again.

import {
  HEADER,
  addShirt,
  ask,
  change,
  expect,
  expectCart,
  fillCheckout,
  newPhone,
  signIn,
  test,
  toCheckout,
} from "./shop";

interface Addresses {
  addresses: { full_address: string; city: string | null }[];
}

test("an order is thanked for on a page that outlives a reload", async ({ page, server }) => {
  await toCheckout(page, server, newPhone());
  await page.getByRole("button", { name: "Place order" }).click();
  const thanks = page.getByRole("heading", { name: "Thank you", level: 1 });
  await expect(thanks).toBeVisible();
  await expect(page).toHaveTitle("Thank you · Evercart");
  const answer = await page.reload();
  expect(answer?.status()).toBe(200);
  await expect(thanks).toBeVisible();
  await expect(page.getByText(/^Your order #\d+ is placed\.$/)).toBeVisible();
  // Its lines lead to what was bought, in its colour and size.
  await page.getByRole("article").getByRole("link", { name: "1 × Relaxed Linen Shirt" }).click();
  await expect(page.getByRole("radio", { name: "M", exact: true })).toBeChecked();
  // The way back does not order again, and from the list the order is an order.
  await page.goBack();
  await expect(thanks).toBeVisible();
  await page.getByRole("link", { name: "Orders" }).click();
  await page.getByRole("link", { name: /#\d+/ }).click();
  await expect(page.getByRole("heading", { name: /^Order #\d+/, level: 1 })).toBeVisible();
  await expect(thanks).toBeHidden();
});

test("what was ordered is bought again, and what cannot be is said", async ({ page, server }) => {
  const rows = (bowls: number, spoons: boolean) =>
    [
      HEADER,
      `931,Plum Tray,Northloom,Home,Oiled.,,9311,PLUM-TRAY,,,30.00,,9,true`,
      `932,Plum Bowl,Northloom,Home,Turned.,,9321,PLUM-BOWL,,,30.00,,${bowls},true`,
      `933,Plum Spoon,Northloom,Home,Carved.,,9331,PLUM-SPOON,,,30.00,,9,${spoons}`,
    ].join("\n");
  await server.importCatalogue("us", rows(9, true));
  const phone = newPhone();
  await signIn(page, server, phone);
  for (const [sku_id, quantity] of [
    [9311, 2],
    [9321, 1],
    [9331, 1],
  ])
    await change(server, phone, "/cart/items", { sku_id, quantity });
  await page.goto(`${server.url}/shop/checkout`);
  await fillCheckout(page);
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible();
  await server.importCatalogue("us", rows(0, false));
  await page.getByRole("link", { name: "Orders" }).click();
  await page.getByRole("link", { name: /#\d+/ }).click();
  await page.getByRole("button", { name: "Buy again" }).click();
  const said = page.getByRole("article").getByRole("status").filter({ hasText: "in your cart" });
  await expect(said).toContainText("1 line is in your cart.");
  await expect(said.getByRole("listitem")).toHaveText(["Plum Bowl", "Plum Spoon"]);
  await expectCart(server, phone, { 9311: 2 });
  await said.getByRole("link", { name: "Cart" }).click();
  await expect(page.getByTestId("cart-total")).toHaveText("$60.00");
});

test("an order goes to an address of the customer's, or to a new one that is kept", async ({
  page,
  server,
}) => {
  const phone = newPhone();
  await toCheckout(page, server, phone);
  await page.getByLabel("Keep it for next time").check();
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible();
  const kept = async () => (await ask<Addresses>(server, phone, "/profile/addresses")).addresses;
  expect((await kept()).map((one) => one.full_address)).toEqual(["1 Main Street"]);
  await change(server, phone, "/profile/addresses", {
    title: "Work",
    full_address: "2 Side Street",
    city: "Springfield",
  });

  const orderTo = async (choose: () => Promise<void>, where: string) => {
    await addShirt(page, server);
    await page.getByRole("button", { name: "Check out" }).click();
    await page.getByLabel("Name").fill("Ada Lovelace");
    await choose();
    await page.getByRole("button", { name: "Place order" }).click();
    await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible();
    await expect(page.getByRole("article")).toContainText(where);
  };
  const way = (name: RegExp | string) => page.getByRole("radio", { name });
  await orderTo(async () => {
    await expect(way(/1 Main Street/)).toBeChecked();
    await expect(page.getByLabel("Address", { exact: true })).toBeHidden();
    await way(/2 Side Street/).check({ force: true });
    // What was chosen outlives a reload, as what was typed does.
    await page.reload();
    await expect(way(/2 Side Street/)).toBeChecked();
  }, "2 Side Street, Springfield");
  await orderTo(async () => {
    await way("Somewhere else").check({ force: true });
    await page.getByLabel("Address", { exact: true }).fill("3 Back Street");
  }, "3 Back Street");
  expect(await kept()).toHaveLength(2);
});
