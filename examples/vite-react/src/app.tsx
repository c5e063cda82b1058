import {
    useCart,
    useCheckout,
    useProduct,
    useProducts,
    useSession,
    useSignIn,
} from "evercart/react";
import { useState } from "react";

export function App() {
    const { products, loading, error } = useProducts({ limit: 3 });
    if (error) return <p role="alert">{error.message}</p>;
    return (
        <main>
            <h1>{loading ? "…" : "Three products"}</h1>
            {products.map(({ id }) => (
                <Product key={id} id={id} />
            ))}
            <Cart />
        </main>
    );
}

function Product({ id }: { id: number }) {
    const { product } = useProduct(id);
    const { add } = useCart();
    if (product === null) return null;
    const { name, skus } = product;
    return (
        <p>
            {name}, {skus[0].price} <button onClick={() => void add(skus[0].id)}>Add {name}</button>
        </p>
    );
}

function Cart() {
    const { cart } = useCart();
    const { signedIn } = useSession();
    const { checkout } = useCheckout();
    const form = {
        customer_name: "Ada",
        delivery_address: "1 Main Street",
        payment_method: "card",
    };
    return (
        <section>
            <p>
                {cart.total_items} in the cart, {cart.total_price} {cart.currency}
            </p>
            {signedIn ? (
                <button
                    disabled={cart.total_items === 0 || checkout.status === "pending"}
                    onClick={() => void checkout.run(form)}
                >
                    Order
                </button>
            ) : (
                <SignIn />
            )}
            {checkout.data && <p>Order {checkout.data.order_number} is placed</p>}
            {checkout.error && <p role="alert">{checkout.error.message}</p>}
        </section>
    );
}

function SignIn() {
    const { phone, sendCode, verifyCode } = useSignIn();
    const [typed, type] = useState("+13128059851");
    const step = phone === null ? sendCode : verifyCode;
    const submit = async () => {
        // A demo says the code in the answer; a shop sends it by SMS.
        const sent = phone === null ? await sendCode.run(typed) : await verifyCode.run(typed);
        if (sent && "demo_code" in sent) type(sent.demo_code ?? "");
    };
    return (
        <form
            onSubmit={(event) => {
                event.preventDefault();
                void submit();
            }}
        >
            <label>
                {phone === null ? "Phone" : "Code"}{" "}
                <input value={typed} onChange={(event) => type(event.target.value)} />
            </label>
            <button disabled={step.status === "pending"}>
                {phone === null ? "Send code" : "Sign in"}
            </button>
            {step.error && <p role="alert">{step.error.message}</p>}
        </form>
    );
}
