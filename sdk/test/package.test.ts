// What is published: small, alone, importable in both ways, and as its sources and documents say.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const SDK = fileURLToPath(new URL("../", import.meta.url));
/** The promise is 12.5 kB for the core, as a page gets it. */
const CORE_BYTES_MAX = 12_500;

let app: string;
beforeAll(async () => {
  await run(process.execPath, ["scripts/build.mjs"], { cwd: SDK });
  app = await mkdtemp(join(tmpdir(), "evercart-app-"));
  const installed = join(app, "node_modules", "evercart");
  await mkdir(installed, { recursive: true });
  for (const part of ["dist", "package.json"])
    await cp(join(SDK, part), join(installed, part), { recursive: true });
  for (const used of ["react", "@types/react", "csstype"]) {
    await cp(join(SDK, "node_modules", used), join(app, "node_modules", used), { recursive: true });
  }
  await writeFile(join(app, "package.json"), `{ "type": "module" }`);
}, 60_000);
afterAll(() => rm(app, { recursive: true, force: true }));

describe("the core", () => {
  test("is under 12.5 kB, minified and gzipped, and its hooks under 2 kB more", async () => {
    const [core, hooks] = await Promise.all(
      ["index.js", "react.js"].map(async (name) => {
        const { outputFiles } = await build({
          entryPoints: [join(SDK, "dist/esm", name)],
          bundle: true,
          minify: true,
          format: "esm",
          external: ["react"],
          write: false,
        });
        return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
      }),
    );
    console.info(`evercart: ${core} bytes, evercart/react: ${hooks} bytes, minified and gzipped`);
    expect(core).toBeLessThan(CORE_BYTES_MAX);
    expect(hooks).toBeLessThan(2000);
  });

  test("uses nothing of Node's and no other package", async () => {
    for (const name of await readdir(join(SDK, "src"))) {
      const source = await readFile(join(SDK, "src", name), "utf8");
      const imported = [...source.matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)].map(
        (match) => match[1] ?? "",
      );
      const foreign = imported.filter((path) => !path.startsWith("./"));
      expect(foreign, name).toEqual(name === "react.ts" ? ["react"] : []);
    }
    const { dependencies } = JSON.parse(await readFile(join(SDK, "package.json"), "utf8")) as {
      dependencies?: object;
    };
    expect(dependencies).toBeUndefined();
  });
});

describe("an app", () => {
  test.each([
    [
      "ES modules",
      "app.mjs",
      `import { createClient } from "evercart"; import { useCart } from "evercart/react";`,
    ],
    [
      "CommonJS",
      "app.cjs",
      `const { createClient } = require("evercart"); const { useCart } = require("evercart/react");`,
    ],
  ])("imports it as %s", async (_, name, imports) => {
    const code = `${imports}
      const shop = createClient({ url: "https://shop.example", market: "us" });
      console.log(shop.auth.session().status, typeof useCart);`;
    await writeFile(join(app, name), code);
    const { stdout } = await run(process.execPath, [name], { cwd: app });
    expect(stdout.trim()).toBe("guest function");
  });

  test.each([
    ["app.mts", "nodenext"],
    ["app.cts", "nodenext"],
    ["app.ts", "bundler"],
  ])(
    "finds its types from %s (%s)",
    async (name, resolution) => {
      const code = `import { createClient, isEvercartError, type CartView, type Storage } from "evercart";
      import { useCart } from "evercart/react";
      declare const AsyncStorage: { getItem(key: string): Promise<string | null>; setItem(key: string, value: string): Promise<void>; removeItem(key: string): Promise<void> };
      const storage: Storage = AsyncStorage;
      const shop = createClient({ url: "", storage });
      export async function add(): Promise<CartView | number | undefined> {
        try { return await shop.cart.add(42); }
        catch (error) { if (isEvercartError(error, "insufficient_stock")) return error.facts.available; throw error; }
      }
      // @ts-expect-error a quantity is a number
      void shop.cart.add(42, "2");
      export type Hook = ReturnType<typeof useCart>["cart"]["items"][number]["pending"];`;
      await writeFile(join(app, name), code);
      const module = resolution === "bundler" ? "esnext" : resolution;
      const flags = [
        "--noEmit",
        "--strict",
        "--lib",
        "es2022,dom",
        "--target",
        "es2022",
        "--module",
        module,
        "--moduleResolution",
        resolution,
      ];
      const tsc = join(SDK, "node_modules/typescript/bin/tsc");
      const { stdout } = await run(process.execPath, [tsc, ...flags, name], { cwd: app }).catch(
        (error: unknown) => error as { stdout: string },
      );
      expect(stdout).toBe("");
    },
    60_000,
  );
});

/** What the documents' snippets take as given. */
const GIVEN = `
  declare const shop: import("evercart").Client;
  declare const createClient: typeof import("evercart").createClient;
  declare function show(what: unknown): void;
  declare const navigation: { navigate(screen: string, parameters?: object): void };
  declare const process: { env: Record<string, string | undefined> };
  declare module "@react-native-async-storage/async-storage" {
    const storage: import("evercart").Storage;
    export default storage;
  }
  declare module "@react-native-community/netinfo" {
    const info: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void };
    export default info;
  }`;

test("what the documents show compiles as it is", async () => {
  const folder = await mkdtemp(join(app, "shown-"));
  await writeFile(join(folder, "given.d.ts"), GIVEN);
  const names = ["given.d.ts"];
  for (const page of ["../docs/sdk.md", "README.md"]) {
    const text = await readFile(join(SDK, page), "utf8");
    const shown = [...text.matchAll(/```(tsx?)\n(.*?)```/gs)];
    expect(shown.length, page).toBeGreaterThan(0);
    for (const [, kind = "", code = ""] of shown) {
      const line = text.slice(0, text.indexOf(code)).split("\n").length;
      const name = `${page.replace(/\W/g, "_")}_line_${line}.${kind}`;
      await writeFile(join(folder, name), `${code}\nexport {};\n`);
      names.push(name);
    }
  }
  const flags =
    "--noEmit --strict --target es2022 --lib es2022,dom --module esnext --moduleResolution bundler --jsx react-jsx";
  const tsc = join(SDK, "node_modules/typescript/bin/tsc");
  const { stdout } = await run(process.execPath, [tsc, ...flags.split(" "), ...names], {
    cwd: folder,
  }).catch((error: unknown) => error as { stdout: string });
  expect(stdout).toBe("");
}, 60_000);

describe("what is generated is not stale:", () => {
  test.each([
    ["the types of the API document", "types.mjs"],
    ["the reference in docs/", "reference.mjs"],
  ])(
    "%s",
    async (_, script) => {
      const check = run(process.execPath, [`scripts/${script}`, "--check"], { cwd: SDK });
      await expect(
        check.catch((error: unknown) =>
          Promise.reject(new Error((error as { stderr: string }).stderr)),
        ),
      ).resolves.toBeDefined();
    },
    60_000,
  );

  test("the lock file names no registry", async () => {
    const lock = await readFile(join(SDK, "package-lock.json"), "utf8");
    // `npm ci` asks the registry that is configured where it runs.
    expect(lock.includes(`"resolved"`)).toBe(false);
  });
});
