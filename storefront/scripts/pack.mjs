// Puts a compressed copy beside each text file of the built shop, and says what a visitor loads.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const out = new URL("../../crates/evercart/storefront/", import.meta.url);
for (const name of await readdir(out, { recursive: true })) {
  if (!/\.(js|css|html|svg)$/.test(name)) continue;
  const text = await readFile(new URL(name, out));
  const packed = gzipSync(text, { level: 9 });
  await writeFile(new URL(`${name}.gz`, out), packed);
  console.log(`${name}: ${(packed.length / 1000).toFixed(1)} kB gzipped`);
}
