// That everybody can use it: axe on every page in both colour schemes, the keyboard, a phone's width.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import {
  addShirt,
  cartButton,
  expect,
  fillCheckout,
  newPhone,
  signIn,
  test,
  toCheckout,
} from "./shop";

/** A window, and how large its visitor wants text. */
interface Window {
  readonly colorScheme: "light" | "dark";
  readonly width: number;
  readonly text?: string;
}

const WINDOWS: readonly Window[] = [
  { colorScheme: "light", width: 360 },
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 360 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "light", width: 768 },
  { colorScheme: "light", width: 360, text: "200%" },
];

async function expectSound(page: Page, where: string, { width, text }: Window): Promise<void> {
  // What slides in or fades is judged when it has arrived.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate((size) => (document.documentElement.style.fontSize = size), text ?? "");
  await expect(page.locator("h1"), `${where} has one h1`).toHaveCount(1);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const cut = await page.evaluate(cutTexts);
  expect({ wide, cut }, `${where} fits into the window`).toEqual({ wide: 0, cut: [] });
  // What axe looks at is the same at any width but the narrow and the wide one.
  if (width === 768 || text !== undefined) return;
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(" ")}`,
  );
  expect(found, where).toEqual([]);
}

/** Texts that go over the window's edge, where nothing scrolls to them, or over their own button's. */
function cutTexts(): string[] {
  const isReached = (one: Element) => one.closest(".chips, .unseen, .skip") !== null;
  return [...document.querySelectorAll("h1, h2, p, a, button, label, dd, dt, small, span")]
    .filter((one) => one.textContent?.trim() && !isReached(one) && one.checkVisibility())
    .filter((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      return width > 0 && (right > innerWidth + 1 || left < -1);
    })
    .map((one) => `${one.tagName} ${one.textContent}`);
}

for (const window of WINDOWS) {
  const { colorScheme, width, text } = window;
  const name = [colorScheme, `${width} px`, ...(text === undefined ? [] : [`text ${text}`])];
  test(`every page is accessible and fits (${name.join(", ")})`, async ({ browser, server }) => {
    // Each page is looked at by axe, which takes its time on a busy machine.
    test.slow();
    const viewport = { width, height: width < 1000 ? 740 : 800 };
    const context = await browser.newContext({ colorScheme, locale: "en-US", viewport });
    const page = await context.newPage();
    for (const [path, heading] of [
      ["/", "Things worth keeping."],
      ["/?q=nothing-like-this", "Nothing found"],
      ["/product/15", "Relaxed Linen Shirt"],
      ["/product/9999", "This page does not exist"],
      ["/wishlist", "Nothing on your wishlist"],
      ["/sign-in", "Sign in"],
      ["/orders", "Sign in"],
      ["/delivery", "Delivery & returns"],
    ] as const) {
      await page.goto(`${server.url}/shop${path}`);
      await expect(page.getByRole("heading", { name: heading }).first()).toBeVisible();
      await expectSound(page, path, window);
    }
    await signIn(page, server, newPhone());
    await addShirt(page, server);
    await expect(page.getByRole("dialog").getByTestId("cart-total")).toBeVisible();
    await expectSound(page, "the cart", window);
    await page.goto(`${server.url}/shop/cart`);
    await page.getByRole("button", { name: /^Remove/ }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(page.getByTestId("cart-total")).toBeVisible();
    await expectSound(page, "/cart", window);
    await page.getByRole("button", { name: "Check out" }).click();
    await fillCheckout(page);
    await expectSound(page, "/checkout", window);
    await page.getByRole("button", { name: "Place order" }).click();
    await expect(page.getByRole("heading", { name: /^Order #/ })).toBeVisible();
    await expectSound(page, "an order", window);
    await page.goto(`${server.url}/shop/orders`);
    await expect(page.getByText("#100").first()).toBeVisible();
    await expectSound(page, "/orders", window);
    await page.goto(`${server.url}/shop/account`);
    await expect(page.getByRole("heading", { name: "Addresses" })).toBeVisible();
    await expectSound(page, "/account", window);
    await context.close();
  });
}

test("each page has a title, which is said when it is shown", async ({ page, server }) => {
  await page.goto(`${server.url}/shop`);
  await expect(page).toHaveTitle("Evercart");
  const said = page.getByTestId("page-title");
  for (const [link, title] of [
    ["Clothing", "Clothing"],
    [/Relaxed Linen Shirt/, "Relaxed Linen Shirt"],
    [/^Wishlist/, "Wishlist"],
    ["Sign in", "Sign in"],
    ["Evercart, start page", "Evercart"],
  ] as const) {
    await page.getByRole("link", { name: link }).first().click();
    await expect(page).toHaveTitle(title === "Evercart" ? title : `${title} · Evercart`);
    await expect(said).toHaveText(title);
    await expect(page.getByRole("main")).toBeFocused();
  }
});

test("what cannot be found is a page of the shop, and is answered 404", async ({
  page,
  server,
}) => {
  for (const [path, status] of [
    ["/product/15", 200],
    ["/product/9999", 404],
    ["/nothing/at/all", 404],
  ] as const) {
    const answer = await page.goto(`${server.url}/shop${path}`);
    expect(answer?.status(), path).toBe(status);
    await expect(page.getByRole("banner")).toBeVisible();
    if (status === 404)
      await expect(page.getByRole("heading", { name: "This page does not exist" })).toBeVisible();
  }
});

test("the focus goes on when what had it is gone", async ({ page, server }) => {
  await signIn(page, server, newPhone());
  const adding = page.getByRole("button", { name: "Add to cart" });
  const drawer = page.getByRole("dialog", { name: "Cart" });
  for (const product of [15, 1]) {
    await page.goto(`${server.url}/shop/product/${product}`);
    await adding.focus();
    await page.keyboard.press("Enter");
    await expect(drawer).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(drawer).toBeHidden();
    await expect(adding).toBeFocused();
  }
  await cartButton(page).click();
  const removes = drawer.getByRole("button", { name: "Remove" });
  await expect(removes).toHaveCount(2);
  await removes.first().focus();
  await page.keyboard.press("Enter");
  await expect(removes).toHaveCount(1);
  await expect(removes).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(removes).toHaveCount(0);
  await expect(drawer.getByRole("heading", { name: "Cart", exact: true })).toBeFocused();
});

test("what is chosen is seen in the visitor's own colours", async ({ page, server }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto(`${server.url}/shop/product/15`);
  const borders = () =>
    page
      .locator(".choice label > span")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).outlineStyle));
  await expect.poll(async () => (await borders()).filter((one) => one === "solid")).toHaveLength(2);
  await page.goto(`${server.url}/shop`);
  const current = page.locator(".chips a[aria-current]");
  await expect(current).toHaveCSS("outline-style", "solid");
});

test("an order is printed without what can only be pressed", async ({ page, server }) => {
  await toCheckout(page, server, newPhone());
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByRole("heading", { name: /^Order #/ })).toBeVisible();
  await page.emulateMedia({ media: "print" });
  for (const gone of ["header", "footer", "button", "[data-toasts]", ".no-print"])
    await expect(page.locator(gone).filter({ visible: true }), gone).toHaveCount(0);
  for (const kept of ["Relaxed Linen Shirt", "1 Main Street", "$69.98"])
    await expect(page.getByRole("article")).toContainText(kept);
  await expect(page.getByRole("heading", { name: /^Order #/ })).toBeVisible();
});

function twoFrames(): Promise<void> {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}

/** The most that a page may move while it is loaded, as browsers measure it. */
const SHIFT_MAX = 0.05;
for (const width of [390, 1280]) {
  test(`nothing moves while a page is loaded (${width} px)`, async ({ browser, server }) => {
    const context = await browser.newContext({
      locale: "en-US",
      viewport: { width, height: 800 },
    });
    const page = await context.newPage();
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          if ("value" in entry && "hadRecentInput" in entry && !entry.hadRecentInput)
            shifts.push(Number(entry.value));
      }).observe({ type: "layout-shift", buffered: true });
    });
    await signIn(page, server, newPhone());
    await addShirt(page, server);
    for (const path of ["", "/product/15", "/checkout", "/account"]) {
      // What is read comes late, so that what stands in its place is seen for a while.
      await page.route(/\/(products|categories|profile)/, async (route) => {
        const answer = await route.fetch();
        await page.waitForSelector("main *");
        await page.evaluate(twoFrames);
        await route.fulfill({ response: answer });
      });
      await page.goto(`${server.url}/shop${path}`);
      await expect(page.locator("h1")).toBeVisible();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      const shift = await page.evaluate(() =>
        (Reflect.get(window, "shifts") as number[]).reduce((sum, one) => sum + one, 0),
      );
      expect(shift, `${path || "/"} moves`).toBeLessThan(SHIFT_MAX);
      await page.unrouteAll({ behavior: "ignoreErrors" });
    }
    await context.close();
  });
}

test("the cart's drawer keeps the focus and gives it back", async ({ page, server }) => {
  await page.goto(`${server.url}/shop`);
  await cartButton(page).focus();
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog", { name: "Cart" });
  await expect(drawer.getByRole("button", { name: "Close" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(cartButton(page)).toBeFocused();
});
