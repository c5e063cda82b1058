// What is published: small, alone, importable in both ways, and as its sources and documents say.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createContext, Script } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { Linter } from "eslint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const SDK = fileURLToPath(new URL("../", import.meta.url));
/** The promise is 15 kB for the core, as a page gets it. */
const CORE_BYTES_MAX = 15_000;

const require = createRequire(import.meta.url);

/** Where a package is that the SDK is developed with. */
function developedWith(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

const COMPILERS = ["typescript", "typescript-5.0"] as const;

/** What a compiler says of files, in `folder`; nothing if they are right. */
async function compiled(
  compiler: (typeof COMPILERS)[number],
  folder: string,
  flags: string,
  ...files: string[]
): Promise<string> {
  const all = `--noEmit --strict --target es2022 --lib es2022,dom ${flags}`.split(" ");
  const tsc = join(developedWith(compiler), "bin/tsc");
  const { stdout } = await run(process.execPath, [tsc, ...all, ...files], { cwd: folder }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return stdout;
}

let app: string;
let installed: string;
/** What is run, by its path in the package. */
const built = new Map<string, string>();
beforeAll(async () => {
  await run(process.execPath, ["scripts/build.mjs"], { cwd: SDK });
  app = await mkdtemp(join(tmpdir(), "evercart-app-"));
  await writeFile(join(app, "package.json"), `{ "type": "module" }`);
  // As it would be published: what is not packed is not there, and nothing else is asked of a registry.
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", app];
  const { stdout } = await run("npm", pack, { cwd: SDK });
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  await run("npm", ["install", "--offline", "--no-audit", join(app, packed.filename)], {
    cwd: app,
  });
  installed = join(app, "node_modules", "evercart");
  for (const used of ["react", "@types/react", "csstype"])
    await cp(developedWith(used), join(app, "node_modules", used), { recursive: true });
  for (const name of ["index.js", "react.js", "testing.js"].flatMap((it) => [
    `esm/${it}`,
    `cjs/${it}`,
  ]))
    built.set(name, await readFile(join(installed, "dist", name), "utf8"));
}, 180_000);
afterAll(() => rm(app, { recursive: true, force: true }));

describe("the core", () => {
  test("is under 15 kB, minified and gzipped, and its hooks under 2 kB more", async () => {
    const [core, hooks] = await Promise.all(
      ["index.js", "react.js"].map(async (name) => {
        const { outputFiles } = await build({
          entryPoints: [join(installed, "dist/esm", name)],
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
      const imported = [...source.matchAll(/\b(?:from|import)\s*\(?"([^"\n]+)"/g)].map(
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
      `import { createClient } from "evercart"; import { useCart } from "evercart/react"; import { fakeShop } from "evercart/testing";`,
    ],
    [
      "CommonJS",
      "app.cjs",
      `const { createClient } = require("evercart"); const { useCart } = require("evercart/react"); const { fakeShop } = require("evercart/testing");`,
    ],
  ])("imports it as %s", async (_, name, imports) => {
    const code = `${imports}
      const { fetch } = fakeShop();
      const shop = createClient({ url: "https://shop.example", market: "us", fetch, live: "off" });
      console.log(shop.auth.session().status, typeof useCart);
      void shop.auth.verifyCode("+13128059851", "123456")
        .then(() => shop.cart.add(42, 2))
        .then((cart) => console.log(cart.total_items, cart.pending))
        .finally(() => shop.close());`;
    await writeFile(join(app, name), code);
    const { stdout } = await run(process.execPath, [name], { cwd: app });
    expect(stdout.trim()).toBe("guest function\n2 0");
  });

  const KINDS = [
    ["app.mts", "nodenext"],
    ["app.cts", "nodenext"],
    ["app.ts", "bundler"],
    ["old.ts", "node"],
  ] as const;
  test.each(COMPILERS.flatMap((compiler) => KINDS.map((kind) => [compiler, ...kind] as const)))(
    "finds its types, with %s, from %s (%s)",
    async (compiler, name, resolution) => {
      const code = `import { createClient, isEvercartError, type CartView, type Storage } from "evercart";
      import { useCart } from "evercart/react";
      import { fakeShop, type FakeProduct } from "evercart/testing";
      declare const AsyncStorage: { getItem(key: string): Promise<string | null>; setItem(key: string, value: string): Promise<void>; removeItem(key: string): Promise<void> };
      const storage: Storage = AsyncStorage;
      const sold: readonly FakeProduct[] = [{ id: 15, name: "Linen Shirt", skus: [{ id: 42, price: 59.99 }] }];
      const shop = createClient({ url: "", storage, fetch: fakeShop(sold).fetch });
      export async function add(): Promise<CartView | number | undefined> {
        try { return await shop.cart.add(42); }
        catch (error) { if (isEvercartError(error, "insufficient_stock")) return error.facts.available; throw error; }
      }
      // @ts-expect-error a quantity is a number
      void shop.cart.add(42, "2");
      export type Hook = ReturnType<typeof useCart>["cart"]["items"][number]["pending"];`;
      await writeFile(join(app, name), code);
      const module = resolution === "nodenext" ? resolution : "esnext";
      const flags = `--module ${module} --moduleResolution ${resolution}`;
      expect(await compiled(compiler, app, flags, name)).toBe("");
    },
    120_000,
  );

  test.each(COMPILERS)(
    "knows the words and facts of the server, with %s",
    async (compiler) => {
      await cp(join(SDK, "test/typed-app.ts"), join(app, "typed-app.ts"));
      const flags = "--module esnext --moduleResolution bundler";
      expect(await compiled(compiler, app, flags, "typed-app.ts")).toBe("");
    },
    120_000,
  );

  test.each([
    ["react", "useCart"],
    ["testing", "fakeShop"],
  ])("finds `evercart/%s` where nothing reads `exports`", (folder, name) => {
    const byFolder = createRequire(join(app, "app.cjs"))(join(installed, folder)) as object;
    expect(byFolder).toHaveProperty(name);
  });
});

describe("what is built", () => {
  test("is ES2020", () => {
    expect(built.size).toBe(6);
    for (const [name, code] of built) {
      const sourceType = name.startsWith("esm") ? "module" : "script";
      const languageOptions = { ecmaVersion: 2020, sourceType } as const;
      expect(new Linter().verify(code, { languageOptions }), name).toEqual([]);
    }
  });

  test("says of the hooks, and of nothing else, that they are for the client", () => {
    for (const [name, code] of built)
      expect(code.startsWith(`"use client";`), name).toBe(name.endsWith("react.js"));
  });

  test("does nothing when it is loaded that a worker forbids", () => {
    const forbidden = (name: string) => () => {
      throw new Error(`${name} at module scope`);
    };
    const names = ["fetch", "setTimeout", "setInterval", "queueMicrotask", "addEventListener"];
    for (const name of ["cjs/index.js", "cjs/react.js", "cjs/testing.js"]) {
      const module = { exports: {} };
      const worker = createContext({
        ...Object.fromEntries(names.map((each) => [each, forbidden(each)])),
        crypto: { getRandomValues: forbidden("random"), randomUUID: forbidden("random") },
        module,
        require,
      });
      new Script(`Math.random = () => { throw new Error("random at module scope"); };
        Object.assign(globalThis, { self: globalThis, exports: module.exports });`).runInContext(
        worker,
      );
      new Script(built.get(name) ?? "").runInContext(worker);
      expect(Object.keys(module.exports), name).not.toEqual([]);
    }
  });

  test("has its licences, its changelog, and pages whose links lead somewhere", async () => {
    for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
      const [ours, repositorys] = await Promise.all(
        [installed, join(SDK, "..")].map((folder) => readFile(join(folder, name), "utf8")),
      );
      expect(ours, name).toBe(repositorys);
    }
    for (const page of ["README.md", "CHANGELOG.md", "dist/docs/sdk.md"]) {
      const text = await readFile(join(installed, page), "utf8");
      for (const [, link = ""] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
        if (/^https?:/.test(link)) continue;
        await expect(readFile(join(installed, dirname(page), link)), link).resolves.toBeDefined();
      }
    }
  });

  test("has the types of the server's API once", async () => {
    const all = await readdir(installed, { recursive: true });
    expect(all.filter((path) => path.endsWith("schema.d.ts"))).toHaveLength(1);
  });
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
  declare module "react-native" {
    export const AppState: { addEventListener(what: "change", heard: (state: string) => void): void };
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
  const flags = "--module esnext --moduleResolution bundler --jsx react-jsx";
  expect(await compiled("typescript", folder, flags, ...names)).toBe("");
}, 120_000);

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
    120_000,
  );

  test("the lock file names no registry", async () => {
    const lock = await readFile(join(SDK, "package-lock.json"), "utf8");
    // `npm ci` asks the registry that is configured where it runs.
    expect(lock.includes(`"resolved"`)).toBe(false);
  });
});
