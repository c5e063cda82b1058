// Starts the real server, as a demo on embedded storage, on a free port of its own.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { wasAwakeForAnHour } from "./awake.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const ANNOUNCEMENT = /evercart listening on (http:\S+)/;
const START_MAX_MS = 30_000;

export interface Server {
  readonly url: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /**
   * The same token as if it had been issued `seconds` earlier, an hour at most: signed anew with the
   * server's own key.
   */
  aged(token: string, seconds: number): Promise<string>;
  /** Puts rows of CSV into the catalogue, as the shop's operator does while it runs. */
  importCatalogue(market: string, rows: string): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** The server's program: EVERCART_BIN, or what cargo has built last. */
export function program(): string {
  const named = process.env["EVERCART_BIN"];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`EVERCART_BIN names ${named}, where there is no program.`);
  }
  const built = ["release", "debug"].map((kind) => join(ROOT, "target", kind, "evercart"));
  const found = built.find((path) => existsSync(path));
  if (found) return found;
  throw new Error(
    "These tests need the server: run `cargo build -p evercart`, or name the program in EVERCART_BIN.",
  );
}

/** Starts a server; `environment` is added to its own. */
export async function startServer(environment: Record<string, string> = {}): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), "evercart-sdk-"));
  // EVERCART_BIN and the like are meant for these tests; the server would take them for its settings.
  const ours = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("EVERCART_")),
  );
  let child: ChildProcess;
  const start = async (listen: string): Promise<string> => {
    child = spawn(program(), ["serve", "--demo", "--listen", listen, "--data", data], {
      env: { ...ours, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return announced(child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  };
  await start("127.0.0.1:0");
  await end("SIGTERM");
  for (const market of ["us", "kg"]) await wasAwakeForAnHour(join(data, `${market}.sqlite3`));
  const url = await start("127.0.0.1:0");
  return {
    url,
    kill: () => end("SIGKILL"),
    restart: async () => {
      await end("SIGKILL");
      await start(new URL(url).host);
    },
    aged: async (token, seconds) => {
      const keys = JSON.parse(await readFile(join(data, "keys.json"), "utf8")) as {
        token_keys: { secret: string }[];
      };
      const [header = "", payload = ""] = token.split(".");
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
        iat: number;
        exp: number;
      };
      const [iat, exp] = [claims.iat - seconds, claims.exp - seconds];
      const older = JSON.stringify({ ...claims, iat, exp });
      const signed = `${header}.${Buffer.from(older).toString("base64url")}`;
      const key = Buffer.from(keys.token_keys[0]?.secret ?? "", "base64");
      return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
    },
    importCatalogue: async (market, rows) => {
      const file = join(data, "import.csv");
      await writeFile(file, rows);
      const command = ["catalog", "import", file, "--market", market, "--data", data];
      await promisify(execFile)(program(), command, { env: { ...ours, ...environment } });
    },
    stop: async () => {
      await end("SIGTERM");
      await rm(data, { recursive: true, force: true });
    },
  };
}

function announced(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`The server did not start in ${START_MAX_MS} ms. It said:\n${said}`));
    }, START_MAX_MS);
    const hear = (text: Buffer) => {
      said += text.toString();
      const url = ANNOUNCEMENT.exec(said)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`The server ended with ${code}. It said:\n${said}`));
    });
  });
}
