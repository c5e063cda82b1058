// What customers do on their own page, and with what they keep for later.

import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { aged, cartButton, expect, newPhone, signIn, test } from "./shop";

const formOf = (page: Page, title: string): Locator =>
  page.locator("form").filter({ has: page.getByRole("heading", { name: title }) });

async function askToLeave(page: Page): Promise<void> {
  const leaving = formOf(page, "Delete account");
  await leaving.getByRole("button", { name: "Send me a code to confirm" }).click();
  await leaving.getByLabel("Code").fill(await codeIn(leaving));
  await leaving.getByRole("button", { name: "Delete for ever" }).click();
}

async function codeIn(form: Locator): Promise<string> {
  const hint = await form.getByText("This is a demo: the code is").textContent();
  return /\d{6}/.exec(hint ?? "")?.[0] ?? "";
}

test("a customer moves to another phone, keeps an address and takes their data", async ({
  page,
  server,
}) => {
  const phone = newPhone();
  await signIn(page, server, phone);
  await page.getByRole("link", { name: "Account", exact: true }).click();
  const form = (title: string) => formOf(page, title);

  const details = form("Your details");
  await details.getByLabel("Name").fill("Ada Lovelace");
  await details.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  const moving = form("Change phone number");
  const next = newPhone();
  await moving.getByLabel("New phone number").fill(next);
  // The sign-in was ten minutes ago.
  await page.route("**/auth/phone", async (route) => {
    await route.continue({ headers: await aged(route.request(), server, 600) });
  });
  await moving.getByRole("button", { name: "Send code" }).click();
  await moving.getByLabel("Code sent to your present number").fill(await codeIn(moving));
  await moving.getByRole("button", { name: "Save" }).click();
  await expect(moving.getByText(`We have sent a code to ${next}.`)).toBeVisible();
  await moving.getByLabel("Code", { exact: true }).fill(await codeIn(moving));
  await moving.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Your phone number has been changed.")).toBeVisible();
  const digits = (await moving.locator("p").first().textContent())?.replace(/[^\d+]/g, "");
  expect(digits).toBe(next);

  const addresses = form("Addresses");
  await addresses.getByLabel("Title, such as Home").fill("Home");
  await addresses.getByLabel("Address", { exact: true }).fill("1 Main Street");
  await addresses.getByRole("button", { name: "Add address" }).click();
  await expect(addresses.getByRole("listitem")).toContainText(["Home 1 Main Street"]);

  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download everything we know" }).click();
  const data = await readFile(await (await downloading).path(), "utf8");
  expect(data).toContain("Ada Lovelace");
  expect(data).toContain("1 Main Street");

  // Whoever has moved the account with a stolen token cannot end it before its owner notices.
  await askToLeave(page);
  await expect(page.getByRole("alert").filter({ hasText: "number" })).toHaveText(
    "The number of this account was changed a short while ago. Try again later.",
  );
});

test("a customer leaves", async ({ page, server }) => {
  await signIn(page, server, newPhone());
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await askToLeave(page);
  await expect(page.getByText("Your account has been deleted.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
});

test("a wish waits on the wishlist until it is moved to the cart", async ({ page, server }) => {
  await signIn(page, server, newPhone());
  await page.getByRole("button", { name: "Add to wishlist: Harbor Canvas Tote" }).click();
  await page.getByRole("link", { name: "Wishlist, 1" }).click();
  await page.getByRole("button", { name: "Move to cart: Harbor Canvas Tote" }).click();
  // It comes in several colours, so the customer chooses.
  await expect(page.getByRole("heading", { name: "Harbor Canvas Tote" })).toBeVisible();
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await expect(cartButton(page)).toHaveAccessibleName("Cart, 1 item");
  await expect(page.getByRole("link", { name: "Wishlist, 0" })).toBeVisible();
});
