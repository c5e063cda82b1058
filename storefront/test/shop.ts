// The real server with the shop in it, and what a visitor does there, for all tests.

import { expect, test as base, type Page, type Request } from "@playwright/test";
import { startServer, type Server } from "../../sdk/test/support/server";

interface Cart {
  items: { sku_id: number; quantity: number }[];
  total_items: number;
}

export const test = base.extend<object, { server: Server }>({
  server: [
    // Playwright wants to see that this needs no other fixture.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
});

/** Of a catalogue's file. */
export const HEADER =
  "product_id,name,brand,category,description,image,sku_id,sku_code,size,color,price,original_price,stock,active";

let phones = Math.floor(Math.random() * 8_000);

/** A phone that no other test has. */
export function newPhone(market = "us"): string {
  phones += 1;
  return `${market === "us" ? "+1312805" : "+99670012"}${String(1000 + (phones % 8_999))}`;
}

type Answer = Record<string, unknown>;

async function post(url: string, body: object, token?: string): Promise<Answer> {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url} said ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/** A token of the customer's for a device of its own. */
async function tokenOf(server: Server, phone: string): Promise<string> {
  const { demo_code: code } = await post(`${server.url}/auth/send-code`, { phone });
  return String((await post(`${server.url}/auth/verify-code`, { phone, code }))["access_token"]);
}

/** What the server has for a customer, asked from a device of its own. */
export async function ask<T>(server: Server, phone: string, path: string): Promise<T> {
  const token = await tokenOf(server, phone);
  const answer = await fetch(server.url + path, { headers: { Authorization: `Bearer ${token}` } });
  return (await answer.json()) as T;
}

/** Changes something of a customer's from a device of its own. */
export async function change(
  server: Server,
  phone: string,
  path: string,
  body: object,
): Promise<void> {
  await post(server.url + path, body, await tokenOf(server, phone));
}

/** The request's headers with its token made `seconds` older. */
export async function aged(
  request: Request,
  server: Server,
  seconds: number,
): Promise<Record<string, string>> {
  const { authorization = "", ...others } = await request.allHeaders();
  const token = await server.aged(authorization.replace("Bearer ", ""), seconds);
  return { ...others, authorization: `Bearer ${token}` };
}

/** Waits until the server has exactly these pieces in the customer's cart: quantity by SKU. */
export async function expectCart(
  server: Server,
  phone: string,
  wanted: Record<number, number>,
): Promise<void> {
  const pieces = async () => {
    const { items } = await ask<Cart>(server, phone, "/cart");
    return Object.fromEntries(items.map((line) => [line.sku_id, line.quantity]));
  };
  await expect.poll(pieces).toEqual(wanted);
}

export const cartButton = (page: Page) =>
  page.getByRole("banner").getByRole("button", { name: /^Cart/ });

/** Puts the product with SKU 42 into the cart: sand, size M. */
export async function addShirt(page: Page, server: Server): Promise<void> {
  await page.goto(`${server.url}/shop/product/15`);
  await page.getByRole("radio", { name: "M", exact: true }).check({ force: true });
  await page.getByRole("button", { name: "Add to cart" }).click();
}

/** Fills in the form that the page shows. */
export async function fillSignIn(page: Page, phone: string): Promise<void> {
  await page.getByLabel("Phone number").fill(phone);
  await page.getByRole("button", { name: "Send code" }).click();
  const hint = await page.getByText("This is a demo: the code is").textContent();
  const code = /\d{6}/.exec(hint ?? "")?.[0] ?? "";
  await page.getByLabel("Code", { exact: true }).fill(code);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
}

export async function signIn(page: Page, server: Server, phone: string): Promise<void> {
  await page.goto(`${server.url}/shop/sign-in`);
  await fillSignIn(page, phone);
  await expect(page.getByRole("link", { name: "Account", exact: true })).toBeVisible();
}

/** Fills in what the checkout cannot do without. */
export async function fillCheckout(page: Page): Promise<void> {
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("Address").fill("1 Main Street");
}

/** Signs in, and comes to the checkout with a shirt and what it cannot do without. */
export async function toCheckout(page: Page, server: Server, phone: string): Promise<void> {
  await signIn(page, server, phone);
  await addShirt(page, server);
  await page.getByRole("button", { name: "Check out" }).click();
  await fillCheckout(page);
}

export { expect };
