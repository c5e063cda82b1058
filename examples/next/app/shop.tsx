"use client";

import { createClient } from "evercart";
import { EvercartProvider } from "evercart/react";
import { useState, type ReactNode } from "react";

/** The visitor's shop. While a page is rendered on the server, its client is this one render's alone. */
export function Shop({ children }: { children: ReactNode }) {
    const [shop] = useState(() =>
        createClient({
            url: process.env.NEXT_PUBLIC_SHOP_URL ?? "http://127.0.0.1:8080",
            market: "us",
        }),
    );
    return <EvercartProvider client={shop}>{children}</EvercartProvider>;
}
