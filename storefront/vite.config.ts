import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { offline } from "./worker/build";

// For `npm run dev`: where the server is that the pages talk to.
const server = process.env["EVERCART_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/shop/",
  plugins: [react(), offline()],
  // The SDK is a link to its folder, which has a React of its own for its tests.
  resolve: { dedupe: ["react", "react-dom"] },
  // What is built is checked in, and embedded from there. It names no path and no machine.
  build: { outDir: "../crates/evercart/storefront", emptyOutDir: true, target: "es2022" },
  server: { proxy: { "^/(?!shop(/|$))": server } },
});
