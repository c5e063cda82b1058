// @vitest-environment happy-dom
// The hooks, in a page and rendered on a server.

import { act, StrictMode, type ReactElement } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryStorage, type Client } from "../../src/index.js";
import { EvercartProvider, useCart, useOrders, useSession, useWishlist } from "../../src/react.js";
import { client, closeAll, until } from "../support/clients.js";
import { fakeShop, type FakeShop, json } from "../../src/testing.js";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

let shop: FakeShop;
let root: Root | undefined;
let place: HTMLElement;
let renders = 0;
beforeEach(() => {
    shop = fakeShop();
    place = document.body.appendChild(document.createElement("div"));
    renders = 0;
});
afterEach(() => {
    act(() => {
        root?.unmount();
    });
    root = undefined;
    place.remove();
    closeAll();
    localStorage.clear();
});

function Shop(): ReactElement {
    renders += 1;
    const { status, user, signedIn } = useSession();
    const { cart, add } = useCart();
    const { wishlist, has, add: wish } = useWishlist();
    const { orders, loading, error } = useOrders();
    const who = signedIn ? `customer ${String(user?.id)}` : status;
    return (
        <main>
            <p>
                {who}; {cart.total_items} in the cart, {cart.pending} on their way;{" "}
                {wishlist.total_items} wishes
                {has(15) ? " with 15" : ""}; {loading ? "…" : orders.length} orders
                {error ? ` (${error.code})` : ""}
            </p>
            <button onClick={() => void add(42, 2)}>add</button>
            <button onClick={() => void wish(15)}>wish</button>
        </main>
    );
}

function page(of: Client): ReactElement {
    return (
        <StrictMode>
            <EvercartProvider client={of}>
                <Shop />
            </EvercartProvider>
        </StrictMode>
    );
}

const text = () => place.querySelector("p")?.textContent ?? "";
const settle = (what: string, found: () => boolean) => act(() => until(what, found));
const press = (name: string) => {
    act(() => {
        [...place.querySelectorAll("button")]
            .find((button) => button.textContent === name)
            ?.click();
    });
};

test("the hooks show a guest's cart, the sign-in, the customer's, and the orders", async () => {
    const mine = client("", { fetch: shop.fetch });
    root = createRoot(place);
    act(() => {
        root?.render(page(mine));
    });
    await settle(
        "the guest",
        () => text().includes("guest; 0 in the cart") && text().includes("0 orders"),
    );
    press("add");
    press("wish");
    await settle("the add", () =>
        text().includes("2 in the cart, 0 on their way; 1 wishes with 15"),
    );
    shop.instead = (path) => {
        if (path.startsWith("/profile/orders"))
            return json({ orders: [{ id: 1 }], total: 1, has_more: false });
        if (path.startsWith("/wishlist"))
            return json({ id: 1, user_id: 1, items: [{ id: 1, product_id: 15 }], total_items: 1 });
        return undefined;
    };
    await act(() => mine.auth.verifyCode("+1", "123456"));
    await settle("the merge", () =>
        text().startsWith("customer 1; 2 in the cart, 0 on their way; 1 wishes with 15; 1 orders"),
    );
    await act(() => mine.auth.logout());
    await settle("the guest", () =>
        text().startsWith("guest; 0 in the cart, 0 on their way; 0 wishes; 0 orders"),
    );
});

test("nothing renders again while nothing changes", async () => {
    const mine = client("", { fetch: shop.fetch, live: "poll", pollMs: 10 });
    await mine.auth.verifyCode("+1", "123456");
    root = createRoot(place);
    shop.instead = (path) =>
        path.startsWith("/profile/orders")
            ? json({ orders: [], total: 0, has_more: false })
            : undefined;
    act(() => {
        root?.render(page(mine));
    });
    const polls = () => shop.asked.filter((each) => each.what === "GET /cart").length;
    await settle("some polls", () => polls() > 3 && text().includes("0 orders"));
    const before = renders;
    const polled = polls();
    await settle("more polls", () => polls() > polled + 5);
    expect(renders).toBe(before);
});

test("a server renders the same for everybody, and the page takes over without a mismatch", async () => {
    const onServer = client("", { fetch: shop.fetch, storage: memoryStorage() });
    const html = renderToString(page(onServer));
    expect(html).toContain("loading");
    // This visitor is signed in and has a cart; the first render must still be the server's.
    const mine = client("", { fetch: shop.fetch });
    await mine.auth.verifyCode("+1", "123456");
    await mine.cart.add(42, 3);
    place.innerHTML = html;
    const mismatches: unknown[] = [];
    act(() => {
        root = hydrateRoot(place, page(mine), {
            onRecoverableError: (error) => mismatches.push(error),
        });
    });
    await settle("the customer", () => text().startsWith("customer 1; 3 in the cart"));
    expect(mismatches).toEqual([]);
});

test("a component without a provider says what is missing", () => {
    expect(() => renderToString(<Shop />)).toThrow("EvercartProvider");
});
