// What is said where a browser says only "Failed to fetch".

import { afterEach, expect, test, vi } from "vitest";
import { client, closeAll } from "./support/clients.js";

afterEach(() => {
  closeAll();
  vi.unstubAllGlobals();
});

async function messageOf(url: string): Promise<string> {
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  const error: unknown = await client(url, { fetch })
    .products.get(1)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "network", cause: { message: "Failed to fetch" } });
  return (error as Error).message;
}

test("a page of another origin is told that the shop may not allow it", async () => {
  vi.stubGlobal("location", new URL("http://localhost:5173/cart"));
  for (const other of ["https://shop.example", "http://localhost:8080", "http://localhost:51730"]) {
    expect(await messageOf(other)).toBe(
      "The shop cannot be reached. If it runs, its cors_origins may lack http://localhost:5173.",
    );
  }
});

test("a page of the shop's own, or no page at all, is told only that it cannot be reached", async () => {
  expect(await messageOf("https://shop.example")).toBe("The shop cannot be reached.");
  vi.stubGlobal("location", new URL("https://shop.example/cart"));
  for (const own of ["", "https://shop.example", "https://shop.example/api/v1/"]) {
    expect(await messageOf(own)).toBe("The shop cannot be reached.");
  }
});
