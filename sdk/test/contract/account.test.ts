// Another phone for the account, a copy of everything, and its end, against the real server.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Client, SignedOut } from "../../src/index.js";
import { client, closeAll, newPhone, pieces, signIn } from "../support/clients.js";
import { startServer, type Server } from "../support/server.js";

const CHECKOUT = {
  customer_name: "Ada",
  delivery_address: "1 Main Street",
  payment_method: "card",
};

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(closeAll);
afterAll(() => server.stop());

/** A storage whose token can be made older. */
function device() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const age = async (seconds: number) => {
    const found = [...kept].find(([key]) => key.endsWith("session"));
    const [key, text] = found ?? ["", "{}"];
    const session = JSON.parse(text) as { token: string };
    kept.set(key, JSON.stringify({ ...session, token: await server.aged(session.token, seconds) }));
  };
  return { storage, age };
}

/** A customer who signed in ten minutes ago. */
async function signedInLongAgo(): Promise<{ shop: Client; phone: string }> {
  const { storage, age } = device();
  const before = client(server.url, { storage });
  const phone = await signIn(before);
  before.close();
  await age(600);
  return { shop: client(server.url, { storage }), phone };
}

function codeOf(sent: { demo_code?: string | null }): string {
  if (typeof sent.demo_code !== "string") throw new Error("The server is not a demo.");
  return sent.demo_code;
}

describe("another phone", () => {
  test("right after signing in the new number's code is enough, and all is kept", async () => {
    const ended: SignedOut[] = [];
    const shop = client(server.url);
    const phone = await signIn(shop);
    const tablet = client(server.url, { onSignedOut: (why) => ended.push(why) });
    await signIn(tablet, phone);
    const id = shop.auth.session().user?.id;
    await shop.cart.add(42, 2);
    await shop.wishlist.add(15);

    const next = newPhone();
    const sent = await shop.auth.changePhone(next);
    expect(sent.phone_number).toBe(next);
    const { user, is_new_user } = await shop.auth.confirmPhone(next, codeOf(sent));
    expect({ id: user.id, phone: user.phone, is_new_user }).toEqual({
      id,
      phone: next,
      is_new_user: false,
    });
    expect(shop.auth.session()).toMatchObject({ status: "signed_in", user: { id, phone: next } });
    expect(pieces(await shop.cart.get())).toEqual({ 42: 2 });
    expect((await shop.wishlist.get()).items.map((item) => item.product_id)).toEqual([15]);
    // Every earlier token is dead, and the other device learns it.
    await expect(tablet.auth.profile()).rejects.toMatchObject({ code: "signed_out", status: 401 });
    expect(ended).toMatchObject([{ code: "signed_out" }]);

    // The old number is nobody's for a while; the new one is the customer's.
    const stranger = client(server.url);
    await expect(signIn(stranger, phone)).rejects.toMatchObject({
      code: "phone_moved",
      status: 409,
      facts: { until: expect.any(String) as unknown },
    });
    const again = client(server.url);
    await signIn(again, next);
    expect(again.auth.session().user?.id).toBe(id);
  });

  test("long after signing in a code of the present number is needed, too", async () => {
    const { shop, phone } = await signedInLongAgo();
    const id = shop.auth.session().user?.id;
    await shop.cart.add(42);
    const next = newPhone();
    await expect(shop.auth.changePhone(next)).rejects.toMatchObject({
      code: "validation_failed",
      status: 422,
      errors: [{ field: "verification_code" }],
    });
    const own = codeOf(await shop.auth.sendCode(phone));
    await expect(shop.auth.changePhone(next, wrong(own))).rejects.toMatchObject({
      code: "code_invalid",
      status: 400,
    });
    // A wrong code signs nobody out.
    expect(shop.auth.session().status).toBe("signed_in");
    const sent = await shop.auth.changePhone(next, own);
    await shop.auth.confirmPhone(next, codeOf(sent));
    expect(shop.auth.session()).toMatchObject({ status: "signed_in", user: { id, phone: next } });
    expect(pieces(await shop.cart.get())).toEqual({ 42: 1 });
  });

  test("what cannot be the next number is refused, and the present one stays", async () => {
    const shop = client(server.url);
    const phone = await signIn(shop);
    const field = { code: "validation_failed", errors: [{ field: "new_phone" }] };
    for (const bad of [phone, "+996700123456", "12", ""])
      await expect(shop.auth.changePhone(bad), bad).rejects.toMatchObject(field);

    const next = newPhone();
    const code = codeOf(await shop.auth.changePhone(next));
    await expect(shop.auth.confirmPhone(next, wrong(code))).rejects.toMatchObject({
      code: "code_invalid",
    });
    // A code is good for the number it was sent to.
    await expect(shop.auth.confirmPhone(newPhone(), code)).rejects.toMatchObject({
      code: "code_invalid",
    });
    expect((await shop.auth.profile()).phone_number).toBe(phone);
    expect(shop.auth.session()).toMatchObject({ status: "signed_in", user: { phone } });
  });

  test("a number that has an account is refused to whoever has its code", async () => {
    const [shop, other] = [client(server.url), client(server.url)];
    const phone = await signIn(shop);
    const taken = await signIn(other);
    // Asking does not tell that it has one.
    const sent = await shop.auth.changePhone(taken);
    await expect(shop.auth.confirmPhone(taken, codeOf(sent))).rejects.toMatchObject({
      code: "phone_taken",
      status: 409,
    });
    expect((await shop.auth.profile()).phone_number).toBe(phone);
    expect((await other.auth.profile()).phone_number).toBe(taken);
  });

  test("the old number stops a change, and nobody gets in then", async () => {
    const [thief, owner] = [client(server.url), client(server.url)];
    const phone = await signIn(thief);
    const next = newPhone();
    await thief.auth.confirmPhone(next, codeOf(await thief.auth.changePhone(next)));
    await expect(thief.auth.changePhone(newPhone())).rejects.toMatchObject({
      code: "phone_on_hold",
      status: 409,
    });
    const code = codeOf(await owner.auth.sendCode(phone, "stop_phone_change"));
    await expect(owner.auth.verifyCode(phone, code)).rejects.toMatchObject({
      code: "code_invalid",
    });
    await owner.auth.stopPhoneChange(phone, code);
    await expect(thief.auth.profile()).rejects.toMatchObject({ code: "signed_out" });
    await expect(signIn(thief, next)).rejects.toMatchObject({ code: "phone_on_hold" });
    await expect(signIn(owner, phone)).rejects.toMatchObject({ code: "phone_moved" });
  });

  test("nobody changes a phone who is not signed in", async () => {
    const guest = client(server.url);
    const refusal = { code: "not_authenticated" };
    await expect(guest.auth.changePhone(newPhone())).rejects.toMatchObject(refusal);
    await expect(guest.auth.confirmPhone(newPhone(), "123456")).rejects.toMatchObject(refusal);
  });
});

describe("the customer's data", () => {
  test("an export has everything of theirs and nothing of anybody else's", async () => {
    const [shop, other] = [client(server.url), client(server.url)];
    const phone = await signIn(shop);
    const stranger = await signIn(other);
    await shop.auth.updateProfile({ full_name: "Ada Lovelace", email: "ada@example.com" });
    await shop.addresses.add({ full_address: "233 S Wacker Dr", title: "Home" });
    await shop.cart.add(42);
    const order = await shop.orders.checkout(CHECKOUT);
    await shop.cart.add(28, 3);
    await shop.wishlist.add(15);
    const data = JSON.stringify(await shop.auth.exportData());
    for (const theirs of [
      phone,
      "Ada Lovelace",
      "ada@example.com",
      "233 S Wacker Dr",
      order.order_number,
      '"sku_id":28',
      '"product_id":15',
    ])
      expect(data).toContain(theirs);
    expect(data).not.toContain(stranger);
    await expect(client(server.url).auth.exportData()).rejects.toMatchObject({
      code: "not_authenticated",
    });
  });

  test("an account is erased with a code of its own phone, and the device forgets it", async () => {
    const { storage } = device();
    const [shop, tablet] = [client(server.url, { storage }), client(server.url)];
    const phone = await signIn(shop);
    await signIn(tablet, phone);
    const id = shop.auth.session().user?.id;
    await shop.cart.add(42);
    const order = await shop.orders.checkout(CHECKOUT);
    await shop.cart.add(28);

    const code = codeOf(await shop.auth.sendCode(phone));
    await expect(shop.auth.eraseAccount(wrong(code))).rejects.toMatchObject({
      code: "code_invalid",
    });
    expect(shop.auth.session().status).toBe("signed_in");
    expect(pieces(await shop.cart.get())).toEqual({ 28: 1 });

    const open = shop.auth.eraseAccount(code);
    await expect(open).rejects.toMatchObject({
      code: "open_orders",
      facts: { orders: [order.id] },
    });
    expect(pieces(await shop.cart.get())).toEqual({ 28: 1 });
    await shop.auth.eraseAccount(code, { evenOpenOrders: true });
    expect(shop.auth.session()).toEqual({ status: "guest", user: null });
    expect(shop.cart.snapshot()).toMatchObject({ items: [], pending: 0 });
    shop.close();
    const reopened = client(server.url, { storage });
    expect(reopened.cart.snapshot().items).toEqual([]);
    await expect(tablet.auth.profile()).rejects.toMatchObject({ status: 401 });

    // The phone signs up anew, as another customer with nothing.
    await signIn(reopened, phone);
    expect(reopened.auth.session().user?.id).not.toBe(id);
    expect((await reopened.cart.get()).items).toEqual([]);
    expect((await reopened.orders.list()).total).toBe(0);
    await expect(reopened.orders.get(order.id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a code of another phone erases nothing", async () => {
    const shop = client(server.url);
    await signIn(shop);
    const others = codeOf(await shop.auth.sendCode(newPhone()));
    await shop.auth.sendCode((await shop.auth.profile()).phone_number);
    const refused = shop.auth.eraseAccount(others);
    await expect(refused).rejects.toMatchObject({ code: "code_invalid" });
    expect(shop.auth.session().status).toBe("signed_in");
  });
});

/** A code that is not this one. */
function wrong(code: string): string {
  return String((Number(code) + 1) % 1_000_000).padStart(6, "0");
}
