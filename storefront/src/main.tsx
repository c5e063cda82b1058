// The demo shop's beginning.

import { createRoot } from "react-dom/client";
import { App } from "./app";
import { ShopProvider } from "./shop";
import "./style.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <ShopProvider>
    <App />
  </ShopProvider>,
);
