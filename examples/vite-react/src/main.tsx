import { createClient } from "evercart";
import { EvercartProvider } from "evercart/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";

// One client for the page. The shop is on another origin than this page; a demo allows that.
const shop = createClient({
    url: import.meta.env.VITE_SHOP_URL ?? "http://127.0.0.1:8080",
    market: "us",
});

createRoot(document.getElementById("root")!).render(
    <StrictMode>
        <EvercartProvider client={shop}>
            <App />
        </EvercartProvider>
    </StrictMode>,
);
