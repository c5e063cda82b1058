// The code that apps have copied, unchanged but for the server's address, against the real server.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asyncStorage } from "../support/async-storage.js";
import { startServer, type Server } from "../support/server.js";

type Scope = Record<string, unknown>;
type Api = (endpoint: string, method?: string, body?: unknown) => Promise<Record<string, unknown>>;

const PHONE = "+13128059851";

let server: Server;
let snippets: Record<string, string>;

beforeAll(async () => {
  server = await startServer();
  const text = await readFile(new URL("snippets.md", import.meta.url), "utf8");
  const blocks = text.matchAll(/^## (.+)\n\n```javascript\n([^]*?)```/gm);
  snippets = Object.fromEntries([...blocks].map(([, title = "", code = ""]) => [title, code]));
});
afterAll(() => server.stop());

/** Runs a snippet as it is, with these names in reach, and returns what `result` names. */
async function run(snippet: string, scope: Scope, result = "undefined"): Promise<unknown> {
  const code = snippet
    // The package is in reach as the name that it is imported by.
    .replace(/^import AsyncStorage from .*$/m, "")
    .replaceAll("https://api.com", server.url);
  type AsyncFunctions = new (...text: string[]) => (...values: unknown[]) => Promise<unknown>;
  const { constructor } = Object.getPrototypeOf(run) as { constructor: AsyncFunctions };
  const body = `${code}\nreturn ${result};`;
  return new constructor(...Object.keys(scope), body)(...Object.values(scope));
}

async function signIn(code: string): Promise<{ access_token: string; user: { id: number } }> {
  const response = await fetch(`${server.url}/auth/verify-code`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ phone: PHONE, verification_code: code }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { access_token: string; user: { id: number } };
}

test("the snippets that apps have copied work as they are", async () => {
  const AsyncStorage = asyncStorage();
  const visited: string[] = [];
  const scope = {
    AsyncStorage,
    API_URL: server.url,
    navigation: { navigate: (screen: string) => visited.push(screen) },
  };
  const { access_token: token, user } = await signIn("123456");
  expect(user.id).toBe(19);

  const [, afterLogin = "", onRequest = ""] = (snippets["Store the token"] ?? "").split(
    /^(?=\/\/ (?:After login|On each request):$)/m,
  );
  await run(afterLogin, { ...scope, token });
  expect(await run(onRequest, scope, "token")).toBe(token);

  const apiRequest = (await run(snippets["Send the token"] ?? "", scope, "apiRequest")) as Api;
  expect(await apiRequest("/cart")).toMatchObject({ items: [{ sku_id: 42, quantity: 2 }] });
  expect(await apiRequest("/wishlist")).toMatchObject({ items: [{ product_id: 15 }] });
  expect(await apiRequest("/profile/orders")).toMatchObject({ success: true, orders: [] });

  const addToCart = (await run(snippets["Add to cart"] ?? "", scope, "addToCart")) as (
    sku: number,
    quantity: number,
  ) => Promise<void>;
  await addToCart(42, 1);
  expect(await apiRequest("/cart")).toMatchObject({ total_items: 3 });

  const careful = (await run(snippets["Handle expiry"] ?? "", scope, "apiRequest")) as Api;
  expect(await careful("/cart")).toMatchObject({ total_items: 3 });
  const logout = (await run(
    snippets["Log out"] ?? "",
    { ...scope, apiRequest: careful },
    "logout",
  )) as () => Promise<void>;
  await logout();
  expect(await AsyncStorage.getItem("access_token")).toBeNull();
  expect(visited).toEqual(["Login"]);

  // A copy of the token is dead, and the careful request says so as it was written to.
  await AsyncStorage.setItem("access_token", token);
  await expect(careful("/cart")).rejects.toThrow("Please login again");
  expect(await AsyncStorage.getItem("access_token")).toBeNull();
  expect(visited).toEqual(["Login", "Login"]);

  const again = await signIn("654321");
  expect(again.user.id).toBe(19);
  expect(again.access_token).not.toBe(token);
  await AsyncStorage.setItem("access_token", again.access_token);
  expect(await careful("/cart")).toMatchObject({ items: [{ sku_id: 42, quantity: 3 }] });
});
