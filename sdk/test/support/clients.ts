// Clients for tests: impatient, and each with a customer of its own.

import { createClient, memoryStorage, type Client, type ClientOptions } from "../../src/index.js";

/** Small waits, so that a test with thousands of faults takes seconds. */
export const IMPATIENT = { baseMs: 1, capMs: 20, patienceMs: 2000, timeoutMs: 5000, attempts: 4 };

const open = new Set<Client>();

export function client(url: string, options: Partial<ClientOptions> = {}): Client {
  const made = createClient({
    url,
    market: "us",
    storage: memoryStorage(),
    retry: IMPATIENT,
    ...options,
  });
  open.add(made);
  return made;
}

/** Ends all clients that were made. */
export function closeAll(): void {
  open.forEach((each) => {
    each.close();
  });
  open.clear();
}

let phones = 0;

/** A phone that no other test has. */
export function newPhone(): string {
  phones += 1;
  return `+1312${String(5550000 + phones + 20 * (process.pid % 400))}`;
}

/** Signs in as whoever has the phone. */
export async function signIn(who: Client, phone = newPhone()): Promise<string> {
  const { demo_code } = await who.auth.sendCode(phone);
  if (typeof demo_code !== "string") throw new Error("The server is not a demo: it said no code.");
  await who.auth.verifyCode(phone, demo_code);
  return phone;
}

/** A bounded wait for something that another device or the server does. */
export async function until<T>(
  what: string,
  found: () => T | undefined | false,
  maxMs = 5000,
): Promise<T> {
  const end = Date.now() + maxMs;
  for (;;) {
    const value = found();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`waited ${maxMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Pieces by SKU. */
export function pieces(cart: {
  items: readonly { sku_id: number; quantity: number }[];
}): Record<number, number> {
  return Object.fromEntries(cart.items.map(({ sku_id, quantity }) => [sku_id, quantity]));
}
