import { createClient } from "evercart";
import { Add, Cart } from "./cart";

// What is for sale is asked anew for each visitor, not once while building.
export const dynamic = "force-dynamic";

export default async function Page() {
    const shop = createClient({
        url: process.env.NEXT_PUBLIC_SHOP_URL ?? "http://127.0.0.1:8080",
        market: "us",
        live: "off",
    });
    const { products } = await shop.products.search({ limit: 3 });
    const pages = await Promise.all(products.map(({ id }) => shop.products.get(id)));
    return (
        <main>
            {pages.map(({ id, name, skus }) => (
                <p key={id}>
                    {name}, {skus[0].price} <Add name={name} sku={skus[0].id} />
                </p>
            ))}
            <Cart />
        </main>
    );
}
