// What the customer is told is so: about an order, a sign-in, a cart that was merged, and what is refused.

import type { Page } from "@playwright/test";
import {
  HEADER,
  aged,
  ask,
  cartButton,
  expect,
  expectCart,
  fillSignIn,
  newPhone,
  signIn,
  test,
  toCheckout,
} from "./shop";

const line = (page: Page, name: string) =>
  page.getByRole("dialog", { name: "Cart" }).getByRole("listitem").filter({ hasText: name });

test("an order whose answer was lost is shown as placed", async ({ page, server }) => {
  const phone = newPhone();
  await toCheckout(page, server, phone);
  let isLost = true;
  await page.route(/\/orders$/, async (route) => {
    if (!isLost) return route.continue();
    // The server gets it, and nobody hears of it.
    await route.fetch();
    await route.abort();
  });
  await page.getByRole("button", { name: "Place order" }).click();
  await expect.poll(async () => (await orders(phone)).total).toBe(1);
  isLost = false;
  await expect(page.getByText(/^Your order #\d+ is placed\./)).toBeVisible();
  await expect(page.getByRole("heading", { name: /^Order #\d+/ })).toBeVisible();
  expect((await orders(phone)).total).toBe(1);

  function orders(of: string) {
    return ask<{ total: number }>(server, of, "/profile/orders");
  }
});

test("an order whose answer was lost is found after a reload", async ({ page, server }) => {
  const phone = newPhone();
  await toCheckout(page, server, phone);
  await page.route(
    /\/orders$/,
    async (route) => {
      await route.fetch();
      // The page is closed before the answer comes.
      void page.reload();
    },
    { times: 1 },
  );
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByText(/^Your order #\d+ is placed\./)).toBeVisible();
  await expectCart(server, phone, {});
});

test("a sign-in that expires keeps the page and what was typed, also on reload", async ({
  page,
  server,
}) => {
  const phone = newPhone();
  await toCheckout(page, server, phone);
  await page.getByLabel("Cash on delivery").check({ force: true });
  await page.route(
    /\/orders$/,
    async (route) => {
      await route.continue({ headers: await aged(route.request(), server, 3600) });
    },
    { times: 1 },
  );
  await page.getByRole("button", { name: "Place order" }).click();
  const over = page.getByRole("dialog", { name: "Sign in" });
  await expect(over).toContainText("Your sign-in has expired.");
  await page.reload();
  await expect(over.getByLabel("Phone number")).toHaveValue(phone);
  await fillSignIn(page, phone);
  await expect(over).toBeHidden();
  await expect(page.getByLabel("Name")).toHaveValue("Ada Lovelace");
  await expect(page.getByLabel("Address")).toHaveValue("1 Main Street");
  await expect(page.getByLabel("Cash on delivery")).toBeChecked();
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: /^Order #\d+/ })).toBeVisible();
});

test("what was typed is gone when its customer has signed out", async ({ page, server }) => {
  await signIn(page, server, newPhone());
  await page.goto(`${server.url}/shop/account`);
  await page.getByLabel("Title, such as Home").fill("Hideout");
  await page.reload();
  await expect(page.getByLabel("Title, such as Home")).toHaveValue("Hideout");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain("Hideout");
});

test("who signs in is where they were going", async ({ page, server }) => {
  await page.goto(`${server.url}/shop/product/15`);
  await page.getByRole("link", { name: "Sign in" }).click();
  const phone = newPhone();
  await fillSignIn(page, phone);
  await expect(page.getByRole("heading", { name: "Relaxed Linen Shirt" })).toBeVisible();
  // The way back leads past the sign-in.
  await page.goto(`${server.url}/shop/account`);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  await page.goto(`${server.url}/shop/orders`);
  await fillSignIn(page, phone);
  await expect(page.getByRole("heading", { name: "No orders yet" })).toBeVisible();
});

test("a quantity that was cut at the sign-in is told at its line until it is settled", async ({
  page,
  server,
}) => {
  const rows = (stock: number, bowls: number) =>
    [
      HEADER,
      `905,Oak Board,Northloom,Home,Oiled.,,9051,OAK-BOARD,,,20.00,,${stock},true`,
      `906,Oak Bowl,Northloom,Home,Oiled.,,9061,OAK-BOWL,,,20.00,,${bowls},true`,
    ].join("\n");
  await server.importCatalogue("us", rows(9, 9));
  await page.goto(`${server.url}/shop/product/906`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.goto(`${server.url}/shop/product/905`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  for (let more = 0; more < 3; more += 1)
    await line(page, "Oak Board").getByRole("button", { name: "One more" }).click();
  await server.importCatalogue("us", rows(2, 0));
  await page.getByRole("button", { name: "Sign in to check out" }).click();
  const phone = newPhone();
  await fillSignIn(page, phone);
  await expectCart(server, phone, { 9051: 2 });
  await expect(page.getByText("Not all you had collected could be taken over.")).toBeVisible();
  await cartButton(page).click();
  const told = "You had 4 here before you signed in. Only 2 are in stock, so we kept 2.";
  await expect(line(page, "Oak Board")).toContainText(told);
  await expect(page.getByRole("dialog")).toContainText("Oak Bowl was in your cart before");
  await page.reload();
  await cartButton(page).click();
  await expect(line(page, "Oak Board")).toContainText(told);
  await line(page, "Oak Board").getByRole("button", { name: "One less" }).click();
  await expect(page.getByText(told)).toBeHidden();
  await page.getByRole("button", { name: "Close: Oak Bowl" }).click();
  await expect(page.getByText("Oak Bowl was in your cart before")).toBeHidden();
});

test("a code works as it was pasted", async ({ page, server }) => {
  await page.goto(`${server.url}/shop/sign-in`);
  await page.getByLabel("Phone number").fill(newPhone());
  await page.getByRole("button", { name: "Send code" }).click();
  const hint = await page.getByText("This is a demo: the code is").textContent();
  const code = /\d{6}/.exec(hint ?? "")?.[0] ?? "";
  // As messages write it, with a space that no keyboard has.
  await page
    .getByLabel("Code", { exact: true })
    .fill(` ${code.slice(0, 3)}\u2009-${code.slice(3)} `);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("link", { name: "Account", exact: true })).toBeVisible();
});

test.describe("in Russian", () => {
  test.use({ locale: "ru-RU" });

  test("every refusal is in the customer's language, at its field, which has the focus", async ({
    page,
    server,
  }) => {
    await page.goto(`${server.url}/shop/sign-in`);
    const phone = page.getByLabel("Номер телефона");
    const send = page.getByRole("button", { name: "Отправить код" });
    await send.click();
    await expect(phone).toHaveAccessibleDescription("Заполните это поле.");
    await expect(phone).toBeFocused();
    await phone.fill("12");
    await send.click();
    await expect(phone).toHaveAccessibleDescription("Это не похоже на номер телефона этой страны.");
    await expect(phone).toBeFocused();
    await phone.fill(newPhone());
    await send.click();
    const hint = await page.getByText("Это демонстрация: код").textContent();
    await page.getByLabel("Код", { exact: true }).fill(/\d{6}/.exec(hint ?? "")?.[0] ?? "");
    await page.getByRole("main").getByRole("button", { name: "Войти" }).click();
    await page.getByRole("link", { name: "Профиль", exact: true }).click();
    const email = page.getByLabel("Эл. почта");
    await email.fill("ada");
    await page.getByRole("button", { name: "Сохранить" }).click();
    await expect(email).toHaveAccessibleDescription(/^Это не похоже на адрес почты/);
    await expect(email).toBeFocused();
    await email.fill("ada@example.com");
    // What only the server knows.
    await page.getByLabel("Имя").fill("x".repeat(130));
    await page.getByRole("button", { name: "Сохранить" }).click();
    await expect(page.getByLabel("Имя")).toHaveAccessibleDescription(
      "Слишком длинно: не больше 120 знаков.",
    );
    await expect(page.getByLabel("Имя")).toBeFocused();
    await expect(page.getByRole("alert").filter({ hasText: "Проверьте" })).toBeVisible();
    await expect(page.getByRole("main")).not.toContainText(/must|please/i);
  });
});

test.describe("in Kyrgyz", () => {
  test.use({ locale: "ky-KG" });

  test("a Kyrgyz browser begins in Kyrgyzstan's shop", async ({ page, server }) => {
    await page.goto(`${server.url}/shop`);
    await expect(page.getByLabel("Өлкө")).toHaveValue("kg");
    await expect(page.getByText(/3\s290,00\sсом/).first()).toBeVisible();
  });
});

test("a number of another market leads to its shop", async ({ page, server }) => {
  await page.goto(`${server.url}/shop/product/15`);
  await page.getByRole("link", { name: "Sign in" }).click();
  const phone = newPhone("kg");
  await page.getByLabel("Phone number").fill(phone.replace("+", "00"));
  await page.getByRole("button", { name: "Go on in the shop of Kyrgyzstan" }).click();
  await expect(page.getByLabel("Country")).toHaveValue("kg");
  await page.getByRole("button", { name: "Send code" }).click();
  await expect(page.getByText(`We have sent a code to ${phone}.`)).toBeVisible();
});

test("Back returns to the card that was left", async ({ page, server }) => {
  await page.setViewportSize({ width: 500, height: 700 });
  await page.goto(`${server.url}/shop`);
  const cards = page.getByRole("main").getByRole("listitem").getByRole("link");
  await expect(cards.nth(8)).toBeAttached();
  await cards.nth(8).scrollIntoViewIfNeeded();
  const name = await cards.nth(8).locator(".name").textContent();
  const y = await page.evaluate(() => scrollY);
  expect(y).toBeGreaterThan(0);
  await cards.nth(8).click();
  await expect(page.getByRole("heading", { name: name ?? "", level: 1 })).toBeVisible();
  await page.goBack();
  await expect(cards.nth(8)).toBeFocused();
  await expect(cards.nth(8)).toContainText(name ?? "");
  expect(await page.evaluate(() => scrollY)).toBe(y);
});

test("the step of the code survives a reload, and another code can be had in time", async ({
  page,
  server,
}) => {
  await page.clock.install();
  await page.route("**/auth/send-code", async (route) => {
    const answer = await route.fetch();
    // A demo has no limits; a real shop lets nobody ask twice within a minute.
    await route.fulfill({ json: { ...(await answer.json()), resend_after_seconds: 60 } });
  });
  await page.goto(`${server.url}/shop/sign-in`);
  const phone = newPhone();
  await page.getByLabel("Phone number").fill(phone);
  await page.getByRole("button", { name: "Send code" }).click();
  await expect(page.getByText(/Send again in (60|5\d) seconds/)).toBeVisible();
  await page.reload();
  await expect(page.getByText(`We have sent a code to ${phone}.`)).toBeVisible();
  await page.clock.fastForward(30_000);
  await expect(page.getByText(/Send again in (30|2\d) seconds/)).toBeVisible();
  await page.clock.fastForward(30_000);
  await page.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByText(/Send again in (60|5\d) seconds/)).toBeVisible();
  const hint = await page.getByText("This is a demo: the code is").textContent();
  await page.getByLabel("Code", { exact: true }).fill(/\d{6}/.exec(hint ?? "")?.[0] ?? "");
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("link", { name: "Account", exact: true })).toBeVisible();
});

test("what is sold out is called so, and one piece is one item", async ({ page, server }) => {
  const row = (stock: number) =>
    `${HEADER}\n907,Ash Ladle,Northloom,Home,Carved.,,9071,ASH-LADLE,,,8.00,,${stock},true`;
  await server.importCatalogue("us", row(1));
  await signIn(page, server, newPhone());
  await page.goto(`${server.url}/shop/product/907`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Cart: 1 item, $8.00" })).toBeAttached();
  await server.importCatalogue("us", row(0));
  await page.reload();
  await cartButton(page).click();
  await expect(line(page, "Ash Ladle")).toContainText("Sold out. Please remove it.");
});
