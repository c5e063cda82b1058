// Builds dist/: one file each for `evercart`, `evercart/react` and `evercart/testing`, as ES modules and as CommonJS, with
// their types and the pages that explain them.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { tsc } from "./compiler.mjs";
import { PRIVATE, privateAsProperties } from "./private.mjs";

const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
await rm(dist, { recursive: true, force: true });
// React's hooks have state, so a server component may import them only through this line.
const BANNERS = { index: "", react: `"use client";`, testing: "" };
for (const [folder, format] of [
    ["esm", "esm"],
    ["cjs", "cjs"],
]) {
    for (const [name, banner] of Object.entries(BANNERS)) {
        await build({
            absWorkingDir: fileURLToPath(root),
            entryPoints: [`src/${name}.ts`],
            outdir: `dist/${folder}`,
            bundle: true,
            format,
            platform: "neutral",
            target: "es2020",
            // Fields of classes are assigned in the constructor, as ES2020 has none.
            tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
            plugins: [privateAsProperties],
            mangleProps: PRIVATE,
            banner: { js: banner },
            external: ["react"],
            sourcemap: true,
            logLevel: "warning",
        });
    }
}
tsc("--emitDeclarationOnly", "--declaration", "--stripInternal", "--outDir", "dist/esm");
const [esm, cjs] = [new URL("esm/", dist), new URL("cjs/", dist)];
await cp(esm, cjs, { recursive: true, filter: (path) => !/\.js(\.map)?$/.test(path) });
// Says which module system the folder's files are in, to Node and to TypeScript.
await writeFile(new URL("package.json", cjs), `{ "type": "commonjs" }\n`);
// The schema is most of the package: both share CommonJS's copy, as only that way round is allowed.
await rm(new URL("schema.d.ts", esm));
for (const name of await readdir(esm)) {
    if (!name.endsWith(".d.ts")) continue;
    const types = await readFile(new URL(name, esm), "utf8");
    await writeFile(new URL(name, esm), types.replaceAll(`"./schema.js"`, `"../cjs/schema.js"`));
}
await mkdir(new URL("docs/decisions/", dist), { recursive: true });
for (const page of ["sdk.md", "sdk-reference.md", "decisions/what-tabs-share.md"])
    await cp(new URL(`../docs/${page}`, root), new URL(`docs/${page}`, dist));
console.log("built dist/");
