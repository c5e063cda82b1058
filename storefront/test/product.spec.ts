// A product's page: the variant in the address, the zoom, and the facts around it.

import { addShirt, expect, HEADER, test } from "./shop";

test("the variant is in the address: shared, reloaded and come back to", async ({
  page,
  server,
}) => {
  await page.goto(`${server.url}/shop/product/15?wish`);
  await expect(page.getByRole("radio", { name: "Sand" })).toBeChecked();
  await page.getByRole("radio", { name: "Sky" }).check({ force: true });
  await page.getByRole("radio", { name: "L", exact: true }).check({ force: true });
  await expect(page).toHaveURL(/\bwish\b/);
  const shared = page.url();
  expect(shared).toMatch(/sku=\d+/);
  const picture = page.getByRole("img", { name: "Relaxed Linen Shirt, Sky" });
  const isChosen = async () => {
    await expect(page.getByRole("radio", { name: "Sky" })).toBeChecked();
    await expect(page.getByRole("radio", { name: "L", exact: true })).toBeChecked();
    await expect(picture).toBeVisible();
  };
  await isChosen();
  await page.reload();
  await isChosen();
  await page.getByRole("link", { name: "Clothing" }).click();
  await expect(page.getByRole("heading", { name: "Clothing" })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(shared);
  await isChosen();
  // What is not there is no reason to show nothing.
  await page.goto(`${server.url}/shop/product/15?sku=999999`);
  await expect(page.getByRole("radio", { name: "Sand" })).toBeChecked();
  // A line of the cart leads to what was put in.
  await page.goto(shared);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Relaxed Linen Shirt" }).click();
  await isChosen();
});

test("a colour that a size does not come in brings its own size along", async ({
  page,
  server,
}) => {
  const row = (sku: number, size: string, color: string, stock = 9) =>
    `921,Cedar Rack,Northloom,Home,Sawn.,,${sku},CEDAR-${sku},${size},${color},30.00,40.00,${stock},true`;
  await server.importCatalogue(
    "us",
    [HEADER, row(9211, "Small", "Olive"), row(9212, "Large", "Teal", 2)].join("\n"),
  );
  await page.goto(`${server.url}/shop/product/921`);
  await expect(page.getByText("In stock")).toBeVisible();
  await page.getByRole("radio", { name: "Large" }).check({ force: true });
  await expect(page.getByRole("radio", { name: "Teal" })).toBeChecked();
  await expect(page.getByText("Only a few left")).toBeVisible();
  await expect(page.getByText("−25%")).toBeVisible();
  await page.goto(`${server.url}/shop/?q=cedar`);
  await expect(page.getByRole("listitem").filter({ hasText: "Cedar Rack" })).toContainText("−25%");
});

test("a picture is seen as large as the window, with the keyboard", async ({ page, server }) => {
  await page.goto(`${server.url}/shop/product/15`);
  const pictures = page.getByRole("button", { name: /^Picture:/ });
  await expect(pictures).toHaveCount(3);
  await pictures.nth(1).click();
  await expect(pictures.nth(1)).toHaveAttribute("aria-pressed", "true");
  const zoom = page.getByRole("button", { name: /^Zoom: Relaxed Linen Shirt/ });
  await zoom.focus();
  await page.keyboard.press("Enter");
  const large = page.getByRole("dialog");
  const image = large.getByRole("img");
  const widthOf = async () => (await image.boundingBox())?.width ?? 0;
  const [first, width] = [await image.getAttribute("alt"), await widthOf()];
  await page.keyboard.press("ArrowRight");
  await expect(image).not.toHaveAttribute("alt", first ?? "");
  await page.keyboard.press("+");
  await expect.poll(widthOf).toBeGreaterThan(width * 2);
  await page.keyboard.press("-");
  await expect.poll(widthOf).toBeLessThan(width * 1.1);
  await large.getByRole("button", { name: "Zoom" }).click();
  await expect(large.getByRole("button", { name: "Zoom out" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(large).toBeHidden();
  await expect(zoom).toBeFocused();
});

test("sizes are explained where that helps", async ({ page, server }) => {
  const guide = page.getByRole("button", { name: "Size guide" });
  const table = page.getByRole("dialog", { name: "Size guide" }).getByRole("table");
  // A shirt and sneakers.
  for (const [product, row] of [
    [15, "M 96–104 80–88"],
    [3, "42 8½ 8 26.7"],
  ] as const) {
    await page.goto(`${server.url}/shop/product/${product}`);
    await guide.click();
    await expect(table.getByRole("row", { name: row })).toBeVisible();
    await page.keyboard.press("Escape");
  }
  // A kettle, and a bicycle, whose M is no shirt's.
  for (const product of [2, 13]) {
    await page.goto(`${server.url}/shop/product/${product}`);
    await expect(page.getByRole("button", { name: "Add to cart" })).toBeVisible();
    await expect(guide).toHaveCount(0);
  }
});

test("a product leads on: to its category, to others of it, to delivery and returns", async ({
  page,
  server,
}) => {
  await addShirt(page, server);
  await page.keyboard.press("Escape");
  const trail = page.getByRole("navigation", { name: "You are here" });
  await expect(trail.getByRole("listitem")).toHaveText([
    "Everything",
    "Clothing",
    "Relaxed Linen Shirt",
  ]);
  const others = page.getByRole("region", { name: "You may also like" }).locator("li");
  await expect(others).toHaveCount(4);
  await expect(others.filter({ hasText: "Relaxed Linen Shirt" })).toHaveCount(0);
  const terms = page.getByText("Delivery costs $9.99");
  await expect(terms).toBeHidden();
  await page.getByText("Delivery and returns").first().click();
  await expect(terms).toBeVisible();
  await expect(page.getByText("It is free for orders of $75.00 or more.")).toBeVisible();
  await others.first().getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("Relaxed Linen Shirt");
  await expect(page.getByRole("main")).toBeFocused();
});
