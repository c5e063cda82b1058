// Private members for ES2020, which has none: lowered to WeakMaps, as compilers do, they would cost the core
// two kilobytes of its twelve. They become properties with short names instead; the types keep them private.

import { readFile } from "node:fs/promises";
import ts from "typescript";

/** What private names begin with after this plugin, for esbuild's `mangleProps`. */
export const PRIVATE = /^\$/;

/** Makes `$name` of each `#name`. */
export const privateAsProperties = {
    name: "private-as-properties",
    setup(build) {
        build.onLoad({ filter: /[\\/]src[\\/][^\\/]+\.ts$/ }, async ({ path }) => {
            const text = await readFile(path, "utf8");
            const letters = text.split("");
            const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
            const visit = (node) => {
                if (ts.isPrivateIdentifier(node)) letters[node.getStart(file)] = "$";
                ts.forEachChild(node, visit);
            };
            visit(file);
            return { contents: letters.join(""), loader: "ts" };
        });
    },
};
