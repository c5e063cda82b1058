// @vitest-environment happy-dom
// The hooks for what a customer does in steps, and the status of each step.

import { act, useState, type ReactElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Client, FetchInit } from "../src/index.js";
import {
    EvercartProvider,
    useAction,
    useAddresses,
    useCart,
    useCategories,
    useCheckout,
    useProduct,
    useProducts,
    useSession,
    useSignIn,
} from "../src/react.js";
import { client, closeAll, until } from "./support/clients.js";
import { fakeShop, type FakeShop, json, problem } from "../src/testing.js";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

let shop: FakeShop;
let mine: Client;
let root: Root;
beforeEach(() => {
    shop = fakeShop();
    mine = client("", { fetch: shop.fetch, live: "off" });
    root = createRoot(document.createElement("div"));
});
afterEach(() => {
    act(() => {
        root.unmount();
    });
    closeAll();
    localStorage.clear();
});

/** Shows a component that only uses a hook, and returns what that said last. */
function shown<Value>(use: () => Value): () => Value {
    let last: { value: Value } | undefined;
    function Probe(): null {
        last = { value: use() };
        return null;
    }
    const page: ReactElement = (
        <EvercartProvider client={mine}>
            <Probe />
        </EvercartProvider>
    );
    act(() => {
        root.render(page);
    });
    return () => {
        if (last === undefined) throw new Error("nothing was rendered");
        return last.value;
    };
}

const settle = (what: string, found: () => boolean) => act(() => until(what, found));

/** Answers a path with one thing, and everything else as before. */
function answer(path: string, how: (init: FetchInit) => Response): void {
    const before = shop.instead;
    shop.instead = (asked, init, when) =>
        asked.startsWith(path) ? how(init) : before(asked, init, when);
}

test("signing in is two steps, each with a status, and back out", async () => {
    answer("/auth/send-code", () => json({ success: true, phone_number: "+1312" }));
    const now = shown(() => ({ ...useSignIn(), signedIn: useSession().signedIn }));
    expect(now()).toMatchObject({ phone: null, sendCode: { status: "idle" }, signedIn: false });
    let sent: Promise<unknown> | undefined;
    act(() => {
        sent = now().sendCode.run("+1312");
    });
    expect(now().sendCode.status).toBe("pending");
    await act(async () => {
        await sent;
    });
    expect(now()).toMatchObject({ phone: "+1312", sendCode: { status: "success", error: null } });

    answer("/auth/verify-code", () => problem(400, "code_invalid"));
    await act(() => now().verifyCode.run("000000"));
    const { verifyCode } = now();
    expect(verifyCode).toMatchObject({ status: "error", data: undefined });
    expect(verifyCode.error?.code).toBe("code_invalid");
    expect(now()).toMatchObject({ phone: "+1312", signedIn: false });

    let asked: unknown;
    answer("/auth/verify-code", ({ body = "" }) => {
        asked = JSON.parse(body);
        return json({ access_token: "token", user: { id: 1, phone: "+1312" }, is_new_user: true });
    });
    await act(() => now().verifyCode.run("123456"));
    expect(asked).toEqual({ phone: "+1312", verification_code: "123456" });
    expect(now()).toMatchObject({
        phone: null,
        signedIn: true,
        verifyCode: { status: "success", data: { is_new_user: true }, error: null },
    });
    await act(() => now().signOut.run());
    expect(now()).toMatchObject({ signedIn: false, signOut: { data: { server: "done" } } });
});

test("starting over forgets the phone, and the code that was wrong", async () => {
    answer("/auth/send-code", () => json({ success: true }));
    answer("/auth/verify-code", () => problem(400, "code_invalid"));
    const now = shown(useSignIn);
    await act(async () => {
        await now().sendCode.run("+1312");
        await now().verifyCode.run("1");
    });
    expect(now()).toMatchObject({ phone: "+1312", verifyCode: { status: "error" } });
    act(() => {
        now().startOver();
    });
    expect(now()).toMatchObject({
        phone: null,
        sendCode: { status: "idle", data: undefined },
        verifyCode: { status: "idle", error: null },
    });
});

test("a checkout says why it was refused, and then that it is placed", async () => {
    await mine.auth.verifyCode("+1", "123456");
    await mine.cart.add(42);
    const now = shown(useCheckout);
    const form = {
        customer_name: "Ada",
        delivery_address: "1 Main Street",
        payment_method: "card",
    };
    answer("/orders", () =>
        json({ code: "price_changed", detail: "no", expected: 1, actual: 2, currency: "USD" }, 409),
    );
    await act(() => now().checkout.run(form));
    const { error } = now().checkout;
    // The compiler knows the facts after the comparison.
    expect(error?.code === "price_changed" && error.facts.actual).toBe(2);
    answer("/orders", () => json({ id: 1001, order_number: "#1001" }, 201));
    await act(() => now().checkout.run(form));
    expect(now().checkout).toMatchObject({ status: "success", data: { id: 1001 }, error: null });
    await act(() => now().orderItems.run([{ sku_id: 42 }], form));
    expect(now().orderItems).toMatchObject({ status: "success", data: { id: 1001 } });
});

test("addresses are read at the sign-in and after each change", async () => {
    const kept = [{ id: 1, full_address: "1 Main Street" }];
    answer("/profile/addresses", ({ method, body }) => {
        if (method === "GET") return json({ addresses: [...kept], total: kept.length });
        if (method === "DELETE") kept.pop();
        else kept.push({ id: 2, ...(JSON.parse(body ?? "{}") as { full_address: string }) });
        return json(kept.at(-1) ?? {});
    });
    const now = shown(useAddresses);
    await settle("a guest's nothing", () => !now().loading);
    expect(now().addresses).toEqual([]);
    await act(() => mine.auth.verifyCode("+1", "123456"));
    await settle("the address", () => now().addresses.length === 1);
    await act(() => now().add.run({ full_address: "2 Main Street" }));
    expect(now().addresses.map(({ full_address }) => full_address)).toEqual([
        "1 Main Street",
        "2 Main Street",
    ]);
    await act(() => now().remove.run(2));
    expect(now()).toMatchObject({ addresses: [{ id: 1 }], remove: { status: "success" } });
    answer("/profile/addresses", () => problem(422, "validation_failed"));
    await act(() => now().update.run(1, { full_address: "" }));
    expect(now().update).toMatchObject({ status: "error", error: { code: "validation_failed" } });
    expect(now().addresses).toHaveLength(1);
});

test("products come in pages, one by one, and by category; another search starts anew", async () => {
    const all = Array.from({ length: 5 }, (_, id) => ({ id: id + 1, name: `P${id + 1}` }));
    const page = (limit: number, offset: number) => all.slice(offset, offset + limit);
    answer("/products", () => problem(404, "not_found"));
    answer("/products?", () => json({ products: [], total: 0, has_more: false }));
    for (const [limit, offset] of [
        [2, 0],
        [2, 2],
        [4, 0],
    ] as const)
        answer(`/products?limit=${limit}&offset=${offset}`, () =>
            json({ products: page(limit, offset), total: 5, has_more: true }),
        );
    answer("/products/3", () => json({ ...all[2], skus: [] }));
    answer("/categories", () => json({ categories: [{ name: "Shirts", products: 5 }] }));
    let search: (text: string) => void = () => undefined;
    const now = shown(() => {
        const [text, setText] = useState<string>();
        search = setText;
        return {
            ...useProducts({ limit: 2, ...(text && { search: text }) }),
            ...useProduct(text ? 4 : 3),
            categories: useCategories().categories,
            list: useProducts({ limit: 2, ...(text && { search: text }) }),
        };
    });
    await settle("all of it", () => now().list.products.length === 2 && now().product?.id === 3);
    await settle("the categories", () => now().categories[0]?.name === "Shirts");
    await act(() => now().list.loadMore());
    expect(now().list).toMatchObject({ total: 5, hasMore: true, loading: false });
    expect(now().list.products.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    await act(() => now().list.refresh());
    expect(now().list.products).toHaveLength(4);
    act(() => {
        search("linen");
    });
    await settle("the search", () => !now().list.loading);
    expect(now().list.products).toEqual([]);
    await settle("no such product", () => now().error?.code === "not_found");
    expect(now().product).toBeNull();
});

test("any method can have a status; a run that was overtaken or reset is not shown", async () => {
    const ends: ((value: string) => void)[] = [];
    const now = shown(() =>
        useAction((nth: number) => new Promise<string>((resolve) => (ends[nth] = resolve))),
    );
    const runs: Promise<unknown>[] = [];
    act(() => {
        runs.push(now().run(1), now().run(2));
    });
    await act(async () => {
        ends[2]?.("second");
        await runs[1];
    });
    expect(now()).toMatchObject({ status: "success", data: "second" });
    await act(async () => {
        ends[1]?.("first");
        await runs[0];
    });
    expect(now().data).toBe("second");
    act(() => {
        runs.push(now().run(3));
    });
    expect(now()).toMatchObject({ status: "pending", data: undefined });
    act(() => {
        now().reset();
    });
    await act(async () => {
        ends[3]?.("third");
        await runs[2];
    });
    expect(now()).toMatchObject({ status: "idle", data: undefined, error: null });
});

test("a change of the cart has a status, too", async () => {
    const now = shown(() => useAction(useCart().setQuantity));
    await act(() => now().run(42, 1000));
    expect(now()).toMatchObject({ status: "error", error: { code: "validation_failed" } });
    await act(() => now().run(42, 3));
    expect(now()).toMatchObject({ status: "success", data: { total_items: 3 } });
});
