// Removes the shop that was built last; .gitignore stays, so that the folder is there.

import { readdir, rm } from "node:fs/promises";

const out = new URL("../../crates/evercart/storefront/", import.meta.url);
for (const name of await readdir(out)) {
  if (name !== ".gitignore") await rm(new URL(name, out), { recursive: true });
}
