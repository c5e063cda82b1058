import {
    EvercartProvider,
    useCart,
    useCheckout,
    useProduct,
    useProducts,
    useSession,
    useSignIn,
} from "evercart/react";
import { useState } from "react";
import { Button, SafeAreaView, Text, TextInput } from "react-native";
import { shop } from "./shop";

export function App() {
    return (
        <EvercartProvider client={shop}>
            <SafeAreaView>
                <Products />
                <Cart />
            </SafeAreaView>
        </EvercartProvider>
    );
}

function Products() {
    const { products, error } = useProducts({ limit: 3 });
    if (error) return <Text>{error.message}</Text>;
    return products.map(({ id }) => <Product key={id} id={id} />);
}

function Product({ id }: { id: number }) {
    const { product } = useProduct(id);
    const { add } = useCart();
    if (product === null) return null;
    const { name, skus } = product;
    return <Button title={`Add ${name}`} onPress={() => void add(skus[0].id)} />;
}

function Cart() {
    const { cart } = useCart();
    const { status, signedIn } = useSession();
    const { checkout } = useCheckout();
    const form = {
        customer_name: "Ada",
        delivery_address: "1 Main Street",
        payment_method: "card",
    };
    // The storage of a phone answers a moment later.
    if (status === "loading") return null;
    return (
        <>
            <Text>{cart.total_items} in the cart</Text>
            {signedIn ? (
                <Button title="Order" onPress={() => void checkout.run(form)} />
            ) : (
                <SignIn />
            )}
            {checkout.data && <Text>Order {checkout.data.order_number} is placed</Text>}
            {checkout.error && <Text>{checkout.error.message}</Text>}
        </>
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
        <>
            <TextInput
                accessibilityLabel={phone === null ? "Phone" : "Code"}
                keyboardType="phone-pad"
                value={typed}
                onChangeText={type}
            />
            <Button
                title={phone === null ? "Send code" : "Sign in"}
                disabled={step.status === "pending"}
                onPress={() => void submit()}
            />
            {step.error && <Text>{step.error.message}</Text>}
        </>
    );
}
