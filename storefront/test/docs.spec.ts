// The server's documentation page, which needs no part of the shop.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, newPhone, test } from "./shop";

const operation = (page: Page, name: string) =>
  page
    .locator("details.operation")
    .filter({ has: page.getByRole("heading", { name, exact: true }) });

const isOpen = (page: Page, name: string) =>
  operation(page, name).evaluate((details) => (details as HTMLDetailsElement).open);

for (const colorScheme of ["light", "dark"] as const)
  for (const width of [360, 1280]) {
    test(`the documentation is accessible and fits (${colorScheme}, ${width} px)`, async ({
      browser,
      server,
    }) => {
      test.slow();
      const viewport = { width, height: 740 };
      const context = await browser.newContext({ colorScheme, viewport });
      const page = await context.newPage();
      const expectSound = async (what: string) => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide, `${what} fits into the window`).toBeLessThanOrEqual(0);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(" ")}`,
        );
        expect(found, what).toEqual([]);
      };
      await page.goto(`${server.url}/docs`);
      await expect(page.locator("h1")).toHaveCount(1);
      await expectSound("folded");
      await page.getByRole("searchbox").fill("price_changed");
      await expectSound("searched");
      await page.getByRole("searchbox").fill("");
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      await expectSound("unfolded");
      await context.close();
    });
  }

test("the search finds operations, parameters and codes as one types", async ({ page, server }) => {
  await page.goto(`${server.url}/docs`);
  const shown = page.locator("details.operation").filter({ visible: true });
  const all = await shown.count();
  const search = page.getByRole("searchbox", { name: "Search" });
  const found = page.getByRole("search").getByRole("status");
  await page.keyboard.press("/");
  await expect(search).toBeFocused();
  await page.keyboard.type("move-to-cart");
  await expect(found).toHaveText("1 operation, 0 error codes found");
  await expect(shown).toHaveCount(1);
  expect(await isOpen(page, "post /wishlist/items/{product_id}/move-to-cart")).toBe(true);
  for (const other of ["Errors", "Signing in", "Retries and changes"])
    await expect(page.getByRole("heading", { name: other, exact: true })).toBeHidden();
  const links = page.getByRole("navigation").locator('a[href^="#"] b').filter({ visible: true });
  await expect(links).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(shown.locator("> summary")).toBeFocused();
  // A header's name, and a code that stands in the table of errors, too.
  await search.fill("If-Match");
  await expect(operation(page, "post /cart/items")).toBeVisible();
  await expect(operation(page, "get /healthz")).toBeHidden();
  await search.fill("catalogue_busy");
  await expect(found).toHaveText(/^\d operations, 1 error code found$/);
  await expect(page.getByRole("cell", { name: "The catalogue is busy" })).toBeVisible();
  // What only an example shows is unfolded with it.
  await search.fill("line_total");
  await expect(page.getByText('"line_total"').first()).toBeVisible();
  await search.fill("zzz");
  await expect(found).toHaveText("0 operations, 0 error codes found");
  await search.press("Escape");
  await expect(found).toBeEmpty();
  await expect(shown).toHaveCount(all);
  expect(await isOpen(page, "post /cart/items")).toBe(false);
});

/** What differs from one customer and moment to the next. */
const OWN = /^(id|user_id|version|order_number|.*_at|.*_date|at)$/;

function withoutOwn(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, member: unknown) =>
    OWN.test(name) ? undefined : member,
  );
}

test("the examples do in a demo what they say", async ({ page, server }) => {
  await page.goto(`${server.url}/docs`);
  const shown = async (name: string) =>
    (await page.locator(`pre[aria-label="${name}"]`).textContent()) ?? "";
  const phone = newPhone();
  const run = async (operation: string, token = "", code = "") => {
    const curl = (await shown(`Request, ${operation}`)).replace("+13128059851", phone);
    const [, method = "GET", url = "", body = ""] =
      /^curl (?:-X (\w+) )?(\S+)[^]*?(?:-d '([^]*)')?$/.exec(curl) ?? [];
    const headers = [...curl.matchAll(/-H "([^:]+): ([^"]+)"/g)].map(
      ([, name = "", value = ""]) => [name, value.replace("$TOKEN", token)] as [string, string],
    );
    const sent = body === "" ? {} : { body: body.replace("123456", code) };
    const answer = await fetch(url, { method, headers, ...sent });
    const json = (await answer.json()) as Record<string, unknown>;
    expect(answer.ok, `${curl}: ${JSON.stringify(json)}`).toBe(true);
    const example = await shown(`Answer ${answer.status}, ${operation}`);
    return { json, example: JSON.parse(example.replace("+13128059851", phone)) as unknown };
  };
  const { json: sent } = await run("POST /auth/send-code");
  const { json } = await run("POST /auth/verify-code", "", String(sent["demo_code"]));
  const token = String(json["access_token"]);
  for (const operation of ["POST /cart/items", "GET /cart", "POST /orders", "DELETE /cart"]) {
    const { json, example } = await run(operation, token);
    expect(withoutOwn(json), operation).toEqual(withoutOwn(example));
  }
  for (const operation of ["GET /products", "GET /products/{id}", "GET /categories"])
    await run(operation);
});

test("an example is copied as it is shown, with this server in it", async ({ browser, server }) => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(`${server.url}/docs#get-cart`);
  const copy = page.getByRole("button", { name: "Copy: Request, GET /cart", exact: true });
  await copy.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#copied")).toHaveText("Copied");
  await expect(copy).toHaveText("Copied");
  const wanted = `curl ${server.url}/cart \\\n  -H "Authorization: Bearer $TOKEN"`;
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(wanted);
  // As over plain HTTP, where browsers have no such thing.
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.addEventListener("copy", () => {
      document.body.dataset["copied"] = String(getSelection());
    });
  });
  await page.getByRole("button", { name: "Copy: Request, step 3" }).click();
  await expect(page.locator("body")).toHaveAttribute("data-copied", /^curl http\S+\/cart -H/);
  await context.close();
});

for (const javaScriptEnabled of [true, false])
  test(`a link from outside unfolds what it leads to (script: ${javaScriptEnabled})`, async ({
    browser,
    server,
  }) => {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`${server.url}/docs#post-cart-items`);
    const request = page.getByRole("region", { name: "Request, POST /cart/items" });
    await expect(request).toBeInViewport();
    await expect(operation(page, "post /cart/items").getByRole("heading")).toBeInViewport();
    await expect(request).toContainText(`curl -X POST ${server.url}/cart/items`);
    await expect(
      page.getByRole("region", { name: "Request, GET /cart", exact: true }),
    ).toBeHidden();
    // Nothing is shown that does nothing.
    await expect(page.getByRole("search")).toBeVisible({ visible: javaScriptEnabled });
    const copies = page.getByRole("button", { name: /^Copy/ });
    expect((await copies.filter({ visible: true }).count()) > 0).toBe(javaScriptEnabled);
    await page.getByRole("link", { name: "get /cart", exact: true }).click();
    await expect(
      page.getByRole("region", { name: "Request, GET /cart", exact: true }),
    ).toBeInViewport();
    await context.close();
  });

test("the keyboard reaches the content and each box that scrolls", async ({ page, server }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${server.url}/docs`);
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  const boxes = await page.locator("main *").evaluateAll((all) =>
    all
      .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
      .filter((one) => getComputedStyle(one).overflowX === "auto")
      .map((one) => ({ reached: one.getAttribute("tabindex"), role: one.getAttribute("role") })),
  );
  expect(boxes.length).toBeGreaterThan(0);
  for (const box of boxes) expect(box).toEqual({ reached: "0", role: "region" });
});

test("all of it is printed, and folded again after", async ({ page, server }) => {
  await page.goto(`${server.url}/docs`);
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await expect(page.locator("details:not([open])")).toHaveCount(0);
  await expect(page.getByRole("navigation")).toBeHidden();
  await expect(page.getByRole("button").filter({ visible: true })).toHaveCount(0);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await expect(page.locator("details[open]")).toHaveCount(0);
});

test("all of it is printed without a script, too", async ({ browser, server }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.url}/docs`);
  const example = page.locator('pre[aria-label="Answer 201, POST /orders"]');
  await expect(example).toBeHidden();
  await page.emulateMedia({ media: "print" });
  await expect(example).toBeVisible();
  await context.close();
});
