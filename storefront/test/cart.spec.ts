// The cart in its drawer and on its page: what is removed can be put back, and a quantity be typed.

import { addShirt, cartButton, expect, expectCart, HEADER, newPhone, signIn, test } from "./shop";

test("the cart has a page, which a reload keeps", async ({ page, server }) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  await addShirt(page, server);
  const drawer = page.getByRole("dialog", { name: "Cart" });
  await drawer.getByRole("link", { name: "Open the cart as a page" }).click();
  await expect(page).toHaveURL(/\/shop\/cart$/);
  await expect(page).toHaveTitle("Cart · Evercart");
  await expect(drawer).toBeHidden();
  await page.reload();
  const main = page.getByRole("main");
  await expect(main.getByRole("heading", { name: "Cart", level: 1 })).toBeVisible();
  await main.getByRole("button", { name: "One more" }).click();
  await expect(main.getByTestId("cart-total")).toHaveText("$119.98");
  // The page has it all: the button leads to its beginning.
  await cartButton(page).click();
  await expect(main).toBeFocused();
  await expect(drawer).toBeHidden();
  await main.getByRole("button", { name: "Check out" }).click();
  await expect(page.getByRole("heading", { name: "Check out" })).toBeVisible();
  await expectCart(server, phone, { 42: 2 });
});

for (const isSignedIn of [false, true]) {
  test(`what is removed can be put back (${isSignedIn ? "signed in" : "guest"})`, async ({
    page,
    server,
  }) => {
    const phone = newPhone();
    if (isSignedIn) await signIn(page, server, phone);
    await addShirt(page, server);
    const drawer = page.getByRole("dialog", { name: "Cart" });
    await drawer.getByRole("button", { name: "One more" }).click();
    await expect(drawer.getByTestId("cart-total")).toHaveText("$119.98");
    const remove = drawer.getByRole("button", { name: "Remove: Relaxed Linen Shirt" });
    await remove.click();
    await expect(
      drawer.getByRole("status").filter({ hasText: "Removed from the cart: Relaxed Linen Shirt." }),
    ).toBeVisible();
    await expect(drawer.getByText("Your cart is empty")).toBeVisible();
    if (isSignedIn) await expectCart(server, phone, {});
    // With the keyboard: on from where the focus was left.
    const undo = drawer.getByRole("button", { name: "Undo" });
    await expect(drawer.getByRole("heading", { name: "Cart", exact: true })).toBeFocused();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await expect(undo).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(undo).toBeHidden();
    await expect(drawer.getByTestId("cart-total")).toHaveText("$119.98");
    await expect(drawer.getByLabel("Quantity", { exact: true })).toHaveValue("2");
    await expect(remove).toBeFocused();
    if (isSignedIn) await expectCart(server, phone, { 42: 2 });
    // One less than one is none, which can be taken back after the drawer is closed, too.
    for (const left of ["1", ""]) {
      await drawer.getByRole("button", { name: "One less" }).click();
      if (left) await expect(drawer.getByLabel("Quantity", { exact: true })).toHaveValue(left);
    }
    await page.keyboard.press("Escape");
    await expect(drawer).toBeHidden();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(cartButton(page)).toHaveAccessibleName("Cart, 1 item");
    if (isSignedIn) await expectCart(server, phone, { 42: 1 });
  });
}

test("a quantity can be typed, and what is refused is told at its line", async ({
  page,
  server,
}) => {
  const row = `${HEADER}\n911,Fir Crate,Northloom,Home,Nailed.,,9111,FIR-CRATE,,,10.00,,7,true`;
  await server.importCatalogue("us", row);
  const phone = newPhone();
  await signIn(page, server, phone);
  await page.goto(`${server.url}/shop/product/911`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await expectCart(server, phone, { 9111: 1 });
  await page.goto(`${server.url}/shop/cart`);
  const line = page.getByRole("main").getByRole("listitem");
  const field = line.getByLabel("Quantity", { exact: true });
  await field.fill("5");
  await field.press("Enter");
  await expect(page.getByTestId("cart-total")).toHaveText("$50.00");
  await expect(field).toBeFocused();
  await expectCart(server, phone, { 9111: 5 });
  for (const wrong of ["1000", "0", "", "two"]) {
    await field.fill(wrong);
    await field.press("Enter");
    await expect(field).toHaveAccessibleDescription("Enter a number from 1 to 999.");
    await expect(line.getByRole("alert").first()).toBeVisible();
  }
  await field.fill("80");
  await field.blur();
  await expect(line).toContainText("Only 7 left in stock.");
  await expect(field).toHaveValue("5");
  await expectCart(server, phone, { 9111: 5 });
});
