// Tokens whose time is over in the middle of something.

import { addShirt, aged, expect, expectCart, fillSignIn, newPhone, signIn, test } from "./shop";

test("an add during which the token expires is kept and needs no second press", async ({
  page,
  server,
}) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  let isFirst = true;
  await page.route("**/cart/items", async (route) => {
    // It was good when the page sent it, and is an hour old when it arrives.
    if (isFirst) await route.continue({ headers: await aged(route.request(), server, 3600) });
    else await route.continue();
    isFirst = false;
  });
  await addShirt(page, server);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in to check out" }).click();
  await fillSignIn(page, phone);
  // Looking at the cart asks for a code, too, which ends the one that the page has.
  await expect(page.getByRole("heading", { name: "Check out" })).toBeVisible();
  await expectCart(server, phone, { 42: 1 });
});
