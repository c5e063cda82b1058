// What the server writes into the page: seen by crawlers, by previews of links, and before anything loads.

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect } from "@playwright/test";
import { test } from "./shop";

/** Bytes of scripts and styles before anything is clicked. React and its DOM are 67,000 of them. */
const FIRST_LOAD_MAX = 103_500;

for (const locale of ["en-US", "ru-RU", "ky-KG"]) {
  test(`the page begins as its scripts go on, in ${locale}`, async ({ browser, server }) => {
    const shown = [];
    for (const javaScriptEnabled of [false, true]) {
      const context = await browser.newContext({ locale, javaScriptEnabled });
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await page.goto(`${server.url}/shop/`);
      if (javaScriptEnabled) await expect(page.getByRole("searchbox")).toBeVisible();
      await expect(page.locator(".card").nth(23)).toBeAttached();
      shown.push({
        heading: await page.locator("h1").innerText(),
        text: await page.locator(".hero p").innerText(),
        names: await page.locator(".card .name").allInnerTexts(),
        pictures: await page
          .locator(".card img")
          .evaluateAll((all) => all.map((one) => one.getAttribute("src"))),
      });
      expect(errors).toEqual([]);
      await context.close();
    }
    expect(shown[1]).toEqual(shown[0]);
  });
}

test("a product is there before anything else is asked for", async ({ page, server }) => {
  // Nothing of the catalogue is answered: all that is seen came with the page.
  await page.route("**/products/*", () => undefined);
  await page.goto(`${server.url}/shop/product/15`);
  await expect(page.getByRole("button", { name: "Add to cart" })).toBeVisible();
  const description = page.locator('meta[name="description"]');
  await expect(description).toHaveAttribute(
    "content",
    await page.locator(".description").innerText(),
  );
  const name = await page.getByRole("heading", { level: 1 }).innerText();
  await expect(page).toHaveTitle(`${name} · Evercart`);
  await expect(page.locator('link[rel="canonical"]')).toHaveAttribute(
    "href",
    `${server.url}/shop/product/15?market=us`,
  );
});

test("a link that names a market opens that market's shop", async ({ page, server }) => {
  await page.goto(`${server.url}/shop/product/15?market=kg`);
  await expect(page.locator(".product .price").first()).toContainText("KGS");
  await page.getByRole("link", { name: "Evercart, start page" }).click();
  await expect(page.locator(".card .price").first()).toContainText("KGS");
  await page.goto(`${server.url}/shop/`);
  await expect(page.locator(".card .price").first()).toContainText("KGS");
});

test("a first visit loads no more than it did", async () => {
  const built = new URL("../../crates/evercart/storefront/", import.meta.url);
  const page = await readFile(new URL("index.html", built), "utf8");
  const names = [...page.matchAll(/"\/shop\/(assets\/[^"]+)"/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(2);
  const sizes = names.map(
    async (name) => gzipSync(await readFile(new URL(name, built)), { level: 9 }).length,
  );
  const all = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  console.info(`first load: ${all} bytes of scripts and styles, gzipped`);
  expect(all).toBeLessThan(FIRST_LOAD_MAX);
});
