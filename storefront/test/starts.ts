// Says in a sentence what is missing where the browser cannot even start, before each test says it in pages.

import { spawnSync } from "node:child_process";
import type { FullConfig } from "@playwright/test";

export default function starts({ projects }: FullConfig): void {
  const program = projects[0]?.use.launchOptions?.executablePath ?? "";
  const { status, stderr, error } = spawnSync(program, ["--version"], { encoding: "utf8" });
  if (status === 0) return;
  const library = /loading shared libraries: (\S+):/.exec(stderr ?? "")?.[1];
  throw new Error(
    library === undefined
      ? `The browser ${program} does not start: ${(error?.message ?? stderr).trim()}. If it is a ` +
          "broken copy, remove it; or name another Chromium in CHROMIUM_BIN."
      : `The browser ${program} needs the system's library ${library}: install the package that ` +
          "has it (Debian and Ubuntu: libnss3 and libnspr4), or a Chromium of your system's.",
  );
}
