import type { ReactNode } from "react";
import { Shop } from "./shop";

export const metadata = { title: "Evercart with Next" };

export default function Layout({ children }: { children: ReactNode }) {
    return (
        <html lang="en">
            <body>
                <Shop>{children}</Shop>
            </body>
        </html>
    );
}
