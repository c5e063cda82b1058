// Builds dist/: one file each for `evercart` and `evercart/react`, as ES modules and as CommonJS, with
// their types.

import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const dist = new URL("dist/", root);
await rm(dist, { recursive: true, force: true });
for (const [folder, format] of [
    ["esm", "esm"],
    ["cjs", "cjs"],
]) {
    await build({
        absWorkingDir: root.pathname,
        entryPoints: ["src/index.ts", "src/react.ts"],
        outdir: `dist/${folder}`,
        bundle: true,
        format,
        platform: "neutral",
        target: "es2022",
        external: ["react"],
        sourcemap: true,
        logLevel: "warning",
    });
}
execFileSync(
    process.execPath,
    [
        "node_modules/typescript/bin/tsc",
        "--emitDeclarationOnly",
        "--declaration",
        "--stripInternal",
        "--outDir",
        "dist/esm",
    ],
    { cwd: root, stdio: "inherit" },
);
await mkdir(new URL("cjs", dist), { recursive: true });
await cp(new URL("esm", dist), new URL("cjs", dist), {
    recursive: true,
    filter: (path) => !/\.js(\.map)?$/.test(path),
});
// Says which module system the folder's files are in, to Node and to TypeScript.
await writeFile(new URL("cjs/package.json", dist), `{ "type": "commonjs" }\n`);
console.log("built dist/");
