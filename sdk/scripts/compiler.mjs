// TypeScript's compiler as this package names it. `tsc` on the PATH may be the old one that is tested with.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const TSC = fileURLToPath(import.meta.resolve("typescript/bin/tsc"));
const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Compiles; ends this process with the compiler's own status if that fails. */
export function tsc(...flags) {
    try {
        execFileSync(process.execPath, [TSC, ...flags], { cwd: ROOT, stdio: "inherit" });
    } catch (error) {
        process.exit(error.status ?? 1);
    }
}
