// Tokens whose time is over in the middle of something.

import { addShirt, expect, expectCart, fillSignIn, newPhone, signIn, test } from "./shop";

test.use({ environment: { EVERCART_AUTH__TOKEN_LIFETIME: "2s" } });

test("an add during which the token expires is kept and needs no second press", async ({
  page,
  server,
}) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  let refused = 0;
  await page.route("**/cart/items", async (route) => {
    // Held back until the server no longer takes the token that came with it.
    const headers = await route.request().allHeaders();
    const isTaken = async () =>
      (
        await fetch(`${server.url}/auth/verify-token`, {
          headers: { Authorization: headers["authorization"] ?? "" },
        })
      ).ok;
    if (refused === 0) await expect.poll(isTaken).toBe(false);
    refused += 1;
    await route.continue();
  });
  await addShirt(page, server);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in to check out" }).click();
  await fillSignIn(page, phone);
  await expectCart(server, phone, { 42: 1 });
});
