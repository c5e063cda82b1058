// The shop is tried in a Chromium: the machine's own, else one that comes as an npm package, so that
// a machine where only npm can be reached will do.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";
import packaged, { inflate } from "@sparticuz/chromium";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function onPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const places = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function ofThePackage() {
  const own = { executablePath: await packaged.executablePath() };
  if (spawnSync(own.executablePath, ["--version"]).status === 0) return own;
  // The system lacks what it needs, such as NSS. The package has that in another archive.
  const archive = new URL("node_modules/@sparticuz/chromium/bin/al2023.tar.br", import.meta.url);
  const libraries = join(await inflate(fileURLToPath(archive)), "lib");
  return { ...own, env: { ...process.env, LD_LIBRARY_PATH: libraries } as Record<string, string> };
}

const named = process.env["CHROMIUM_BIN"] ?? onPath();
const chromium = named === undefined ? await ofThePackage() : { executablePath: named };

// As a customer's browser is, whichever it is: none of the package's own flags, which let pages of other
// origins read answers; a process for each tab, also where memory is short; and of the flags that
// Playwright adds, none that spares pages what happens to those in the background. browser.spec.ts sees
// that it is so. As root, as on most CI machines, Chromium runs without its sandbox only.
const args = ["--no-sandbox", "--site-per-process", "--renderer-process-limit=64"];
const ignoreDefaultArgs = [
  "--disable-back-forward-cache",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

export default defineConfig({
  testDir: "test",
  globalSetup: "./test/starts.ts",
  // Each worker has a server and a browser of its own.
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    launchOptions: { ...chromium, args, ignoreDefaultArgs },
    locale: "en-US",
    // What a worker answers, no test can hold up or lose on its way. offline.spec.ts allows it.
    serviceWorkers: "block",
    trace: "retain-on-failure",
  },
});
