// What a visitor goes through, in one browser or in several.

import {
  addShirt,
  ask,
  cartButton,
  expect,
  expectCart,
  fillCheckout,
  fillSignIn,
  newPhone,
  signIn,
  test,
  toCheckout,
} from "./shop";

interface Orders {
  total: number;
}

test("a guest looks around, signs in with a cart, and orders it", async ({ page, server }) => {
  const phone = newPhone();
  await page.goto(`${server.url}/shop`);
  await page.getByRole("link", { name: "Clothing" }).click();
  await page.getByRole("link", { name: /Relaxed Linen Shirt/ }).click();
  await page.getByRole("radio", { name: "M", exact: true }).check({ force: true });
  await page.getByRole("button", { name: "Add to cart" }).click();
  const drawer = page.getByRole("dialog", { name: "Cart" });
  await drawer.getByRole("button", { name: "One more" }).click();
  await expect(drawer.getByTestId("cart-total")).toHaveText("$119.98");
  await expect(drawer.getByText("Free", { exact: true })).toBeVisible();
  await drawer.getByRole("button", { name: "Sign in to check out" }).click();
  await fillSignIn(page, phone);
  await expect(page.getByRole("heading", { name: "Check out" })).toBeVisible();
  await expectCart(server, phone, { 42: 2 });
  await fillCheckout(page);
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: /^Order #\d+/ })).toBeVisible();
  await expectCart(server, phone, {});
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Really cancel? Press again." }).click();
  await expect(page.getByRole("heading", { name: /Cancelled/ })).toBeVisible();
});

for (const { market, subtotal, shipping, total, rest } of [
  { market: "us", subtotal: "$59.99", shipping: "$9.99", total: "$69.98", rest: "$15.01" },
  {
    market: "kg",
    subtotal: "KGS 4,990.00",
    shipping: "KGS 150.00",
    total: "KGS 5,140.00",
    rest: "KGS 10.00",
  },
]) {
  test(`what an order costs is shown before, and one press orders it (${market})`, async ({
    page,
    server,
  }) => {
    // The server is asked once, and takes the total that was shown.
    let asked = 0;
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/orders")) asked += 1;
    });
    await page.goto(`${server.url}/shop`);
    await page.getByLabel("Country").selectOption(market);
    await addShirt(page, server);
    const drawer = page.getByRole("dialog", { name: "Cart" });
    await expect(drawer.getByTestId("cart-total")).toHaveText(subtotal);
    await expect(drawer.getByText(shipping, { exact: true })).toBeVisible();
    await expect(drawer.getByTestId("order-total")).toHaveText(total);
    await expect(drawer.getByText(rest)).toBeVisible();
    await drawer.getByRole("button", { name: "Sign in to check out" }).click();
    await fillSignIn(page, newPhone(market));
    await fillCheckout(page);
    await expect(page.getByRole("complementary").getByTestId("order-total")).toHaveText(total);
    await page.getByRole("button", { name: "Place order" }).click();
    await expect(page.getByRole("heading", { name: /^Order #\d+/ })).toBeVisible();
    await expect(page.getByRole("article").locator(".grand")).toContainText(total);
    expect(asked).toBe(1);
  });
}

test("checkout pressed twice makes one order", async ({ page, server }) => {
  const phone = newPhone();
  await toCheckout(page, server, phone);
  // The server is slow, so that both presses come before its answer.
  let arrived = 0;
  await page.route("**/orders", async (route) => {
    arrived += 1;
    await expect.poll(() => pressed).toBe(true);
    await route.continue();
  });
  let pressed = false;
  const place = page.getByRole("button", { name: /Place order|Placing/ });
  await expect(async () => {
    await place.click({ force: true });
    expect(arrived).toBeGreaterThan(0);
  }).toPass();
  // As impatient people do: the button says that it is at work, and takes no second press.
  await place.click({ force: true });
  pressed = true;
  await expect(page.getByRole("heading", { name: /^Order #\d+/ })).toBeVisible();
  expect((await ask<Orders>(server, phone, "/profile/orders")).total).toBe(1);
});

test("a cart changes on every device at once", async ({ page, browser, server }) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  const other = await (await browser.newContext()).newPage();
  await signIn(other, server, phone);
  await addShirt(page, server);
  await expect(cartButton(other)).toHaveAccessibleName("Cart, 1 item", { timeout: 5_000 });
  await cartButton(other).click();
  await other.getByRole("button", { name: "One more" }).click();
  await expect(page.getByRole("dialog").getByTestId("cart-total")).toHaveText("$119.98");
  await other.context().close();
});

test("signing out in one tab signs out the other", async ({ page, context, server }) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  const other = await context.newPage();
  await other.goto(`${server.url}/shop/account`);
  await expect(other.getByRole("heading", { name: "Account", level: 1 })).toBeVisible();
  await page.goto(`${server.url}/shop/account`);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("what is added without a network is saved when it is back", async ({
  page,
  context,
  server,
}) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  await page.goto(`${server.url}/shop/product/15`);
  await page.getByRole("radio", { name: "M", exact: true }).check({ force: true });
  await context.setOffline(true);
  await expect(page.getByText("You are offline.")).toBeVisible();
  await page.getByRole("button", { name: "Add to cart" }).click();
  await expect(page.getByText("Not saved yet.")).toBeVisible();
  await expectCart(server, phone, {});
  await context.setOffline(false);
  await expect(page.getByText("Not saved yet.")).toBeHidden();
  await expectCart(server, phone, { 42: 1 });
});

test("a guest's cart is merged once though the page is closed in between", async ({
  page,
  context,
  server,
}) => {
  const phone = newPhone();
  await addShirt(page, server);
  let isStopped = false;
  await context.route("**/cart/merge", async (route) => {
    // The server gets it, the page does not live to see the answer.
    await route.fetch();
    isStopped = true;
  });
  await page.getByRole("button", { name: "Sign in to check out" }).click();
  await fillSignIn(page, phone);
  await expect.poll(() => isStopped).toBe(true);
  await page.close();
  await context.unroute("**/cart/merge");
  const again = await context.newPage();
  await again.goto(`${server.url}/shop`);
  await expect(cartButton(again)).toHaveAccessibleName("Cart, 1 item");
  await expectCart(server, phone, { 42: 1 });
});

test("a stolen token dies with the sign-out", async ({ page, browser, context, server }) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  const thief = await browser.newContext({ storageState: await context.storageState() });
  const stolen = await thief.newPage();
  await stolen.goto(`${server.url}/shop/account`);
  await expect(stolen.getByRole("heading", { name: "Account", level: 1 })).toBeVisible();
  await page.goto(`${server.url}/shop/account`);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  await stolen.goto(`${server.url}/shop/account`);
  await expect(stolen.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await thief.close();
});

test("each market and language is one choice away", async ({ page, server }) => {
  await page.goto(`${server.url}/shop`);
  await page.getByLabel("Country").selectOption("kg");
  await page.getByLabel("Language").selectOption("ru");
  await expect(page.getByRole("heading", { name: "Вещи надолго." })).toBeVisible();
  await expect(page.getByText(/3\s290,00\sсом/).first()).toBeVisible();
  await page.getByLabel("Язык").selectOption("ky");
  await expect(page.getByRole("link", { name: "Баары" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "ky");
  await expect(page.getByText(/3\s290,00\sсом/).first()).toBeVisible();
});

test("a part of the shop that cannot be loaded without a network can be had when it is back", async ({
  page,
  context,
  server,
}) => {
  await page.goto(`${server.url}/shop`);
  const refused = page.waitForEvent("requestfailed", (one) => /assets\/sign-in/.test(one.url()));
  await context.setOffline(true);
  await refused;
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Something went wrong" })).toBeVisible();
  await context.setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});
