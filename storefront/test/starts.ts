// Says in a sentence what is missing where the browser cannot even start, before each test says it in pages.

import { spawnSync } from "node:child_process";
import type { FullConfig } from "@playwright/test";

export default function starts({ projects }: FullConfig): void {
  const { executablePath = "", env } = projects[0]?.use.launchOptions ?? {};
  const { status, stderr, error } = spawnSync(executablePath, ["--version"], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (status === 0) return;
  const library = /loading shared libraries: ([^:]+):/.exec(stderr ?? "")?.[1];
  throw new Error(
    library === undefined
      ? `The browser ${executablePath} does not start: ${(error?.message ?? stderr).trim()}. If ` +
          "it is a broken copy, remove it; or name another Chromium in CHROMIUM_BIN."
      : `The browser ${executablePath} needs the system's library ${library}: install the package ` +
          "that has it (Debian and Ubuntu: libnss3 and libnspr4), or a Chromium of your system's.",
  );
}
