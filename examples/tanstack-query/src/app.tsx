import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import {
    message,
    ordersQuery,
    productQuery,
    productsQuery,
    shop,
    useCart,
    useCheckout,
} from "./shop";

export function App() {
    const { data, error } = useQuery(productsQuery);
    return (
        <main>
            {error && <p role="alert">{message(error)}</p>}
            {data?.products.map(({ id }) => (
                <Product key={id} id={id} />
            ))}
            <Cart />
        </main>
    );
}

function Product({ id }: { id: number }) {
    const { data } = useQuery(productQuery(id));
    const add = useMutation({ mutationFn: (skuId: number) => shop.cart.add(skuId) });
    if (!data) return null;
    return (
        <p>
            {data.name}, {data.skus[0].price}{" "}
            <button onClick={() => add.mutate(data.skus[0].id)}>Add {data.name}</button>
            {add.error && <span role="alert">{message(add.error)}</span>}
        </p>
    );
}

function Cart() {
    const { data: cart } = useCart();
    const { data: orders = [] } = useQuery(ordersQuery);
    const checkout = useCheckout();
    const { status } = useSyncExternalStore(
        (changed) => shop.auth.onChange(changed),
        () => shop.auth.session(),
    );
    const form = {
        customer_name: "Ada",
        delivery_address: "1 Main Street",
        payment_method: "card",
    };
    return (
        <section>
            <p>{cart?.total_items} in the cart</p>
            {status === "signed_in" ? (
                <button disabled={checkout.isPending} onClick={() => checkout.mutate(form)}>
                    Order
                </button>
            ) : (
                <SignIn />
            )}
            {checkout.error && <p role="alert">{message(checkout.error)}</p>}
            {orders.map(({ id, order_number }) => (
                <p key={id}>Order {order_number} is placed</p>
            ))}
        </section>
    );
}

function SignIn() {
    const [phone, setPhone] = useState("+13128059851");
    const [code, setCode] = useState("");
    const sendCode = useMutation({
        mutationFn: () => shop.auth.sendCode(phone),
        // A demo says the code in the answer; a shop sends it by SMS.
        onSuccess: ({ demo_code }) => setCode(demo_code ?? ""),
    });
    const verify = useMutation({ mutationFn: () => shop.auth.verifyCode(phone, code) });
    const step = sendCode.isSuccess ? verify : sendCode;
    return (
        <form
            onSubmit={(event) => {
                event.preventDefault();
                step.mutate();
            }}
        >
            {sendCode.isSuccess ? (
                <label>
                    Code <input value={code} onChange={(event) => setCode(event.target.value)} />
                </label>
            ) : (
                <label>
                    Phone <input value={phone} onChange={(event) => setPhone(event.target.value)} />
                </label>
            )}
            <button disabled={step.isPending}>
                {sendCode.isSuccess ? "Sign in" : "Send code"}
            </button>
            {step.error && <p role="alert">{message(step.error)}</p>}
        </form>
    );
}
