// The demo shop's beginning.

import { createRoot } from "react-dom/client";
import { App } from "./app";
import { ShopProvider } from "./shop";
import { firstLanguage, textsOf } from "./texts";
import "./style.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
const language = firstLanguage();
const t = await textsOf(language);
createRoot(root).render(
  <ShopProvider first={{ language, t }}>
    <App />
  </ShopProvider>,
);
