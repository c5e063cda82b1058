// Builds the service worker beside the pages: it knows which files belong together.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { transformWithOxc, type Plugin } from "vite";

const SOURCE = fileURLToPath(new URL("offline.ts", import.meta.url));

export function offline(): Plugin {
  let base = "/";
  return {
    name: "offline",
    apply: "build",
    // After the page was written, which counts, too.
    enforce: "post",
    configResolved: (config) => {
      base = config.base;
    },
    async generateBundle(_, bundle) {
      const names = Object.keys(bundle).sort();
      const page = bundle["index.html"];
      const files = names
        .filter((name) => name !== "index.html")
        .map((name) => base + name)
        .concat(`${base}icon.svg`);
      const { code } = await transformWithOxc(await readFile(SOURCE, "utf8"), SOURCE, {
        sourcemap: false,
      });
      const version = createHash("sha256")
        .update(JSON.stringify(files))
        .update(page?.type === "asset" ? page.source : "")
        .digest("hex")
        .slice(0, 12);
      // A worker that every browser runs is no module; the types want one.
      const script = code.replace(/^export \{\s*\};?$/m, "");
      const values = `const FILES = ${JSON.stringify(files)};\nconst VERSION = "${version}";\n`;
      this.emitFile({ type: "asset", fileName: "sw.js", source: values + script });
    },
  };
}
