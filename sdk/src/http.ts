// One request and its answer: headers, time limit, problems made into errors, and the retries of
// calls that somebody waits for. What is done about a lost session is session.ts's business.

import { EvercartError, isEvercartError, type ErrorCode } from "./errors.js";

/** The part of `fetch` that the SDK uses. */
export type Fetch = (input: string, init: FetchInit) => Promise<Response>;

/** What the SDK gives to `fetch`. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** One request and what became of it. There is no token in it, and no body. */
export interface LogEntry {
  readonly method: string;
  /** Below the shop's address, without its query. */
  readonly path: string;
  /** From the request to the answer's headers. */
  readonly ms: number;
  /** The answer's status; undefined if there was none. */
  readonly status?: number;
  /** The server's name for the request, to be found in its log. */
  readonly requestId?: string | undefined;
  /** Why there was no answer. */
  readonly error?: unknown;
}

/** When and how often something is tried again. */
export interface RetryOptions {
  /** The first wait; each further one is twice as long. Default 300 ms. */
  readonly baseMs: number;
  /** The longest wait between two tries. Default 30 s. */
  readonly capMs: number;
  /** How often a call is made that somebody waits for. Default 4. Queued changes have no limit. */
  readonly attempts: number;
  /** How long a call waits at most because the server asks for it (`Retry-After`). Default 10 s. */
  readonly patienceMs: number;
  /** How long an answer may take. Default 20 s. */
  readonly timeoutMs: number;
}

export const RETRY: RetryOptions = {
  baseMs: 300,
  capMs: 30_000,
  attempts: 4,
  patienceMs: 10_000,
  timeoutMs: 20_000,
};

/** A request. */
export interface Call {
  /** `GET` unless it says otherwise. */
  readonly method?: "POST" | "PUT" | "DELETE";
  /** Begins with `/`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly token?: string | undefined;
  /** The `Idempotency-Key`. Every mutation has one. */
  readonly key?: string;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. `value` is null with 304. */
export interface Answer<T> {
  readonly value: T;
  readonly etag: string | undefined;
}

/** What of a client's options is about its requests. */
export interface HttpOptions {
  /** Where the shop is, such as `https://shop.example`; empty for the page's own server. */
  readonly url: string;
  /** The market, such as `us` or `kg`: a shop of its own, with its own session and cart. */
  readonly market?: string;
  /** Instead of the platform's `fetch`. */
  readonly fetch?: Fetch;
  /**
   * Sent with each request, such as `{ "X-App-Version": "1.4" }`; a function is asked each time. They replace
   * none of the client's own.
   */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** Called after each request, such as with `console.debug`. It must not throw. */
  readonly logger?: (entry: LogEntry) => void;
  /** When and how often something is tried again. */
  readonly retry?: Partial<RetryOptions>;
}

/** Makes requests of one shop and market. */
export class Http {
  readonly retry: RetryOptions;
  readonly #url: string;
  readonly #market: string | undefined;
  readonly #fetch: Fetch;
  readonly #headers: HttpOptions["headers"];
  readonly #log: HttpOptions["logger"];

  constructor({ url, market, fetch, headers, logger, retry }: HttpOptions) {
    this.#url = url.replace(/\/+$/, "");
    this.#market = market;
    // Called through globalThis: some platforms refuse a `fetch` with another `this`.
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#headers = headers;
    this.#log = logger;
    this.retry = { ...RETRY, ...retry };
  }

  /** The request's headers and URL, sent once; for streams, whose body the caller reads. */
  async open(call: Call, accept: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept };
    if (call.body !== undefined) headers["Content-Type"] = "application/json";
    if (call.token !== undefined) headers["Authorization"] = `Bearer ${call.token}`;
    if (this.#market !== undefined) headers["X-Market"] = this.#market;
    if (call.key !== undefined) headers["Idempotency-Key"] = call.key;
    if (call.ifMatch !== undefined) headers["If-Match"] = call.ifMatch;
    if (call.ifNoneMatch !== undefined) headers["If-None-Match"] = call.ifNoneMatch;
    const ours = Object.keys(headers).map((name) => name.toLowerCase());
    const others = typeof this.#headers === "function" ? this.#headers() : this.#headers;
    for (const [name, value] of Object.entries(others ?? {}))
      if (!ours.includes(name.toLowerCase())) headers[name] = value;
    const fetch = this.#fetch;
    const { path, method = "GET" } = call;
    const begun = Date.now();
    const log = (end: Partial<LogEntry>) =>
      this.#log?.({ method, path, ms: Date.now() - begun, ...end });
    try {
      const response = await fetch(this.#url + path + queryText(call.query), {
        method,
        headers,
        signal,
        // Without a body this is undefined, which fetch takes as none.
        body: JSON.stringify(call.body),
      });
      log({ status: response.status, requestId: header(response, "X-Request-Id") });
      return response;
    } catch (error) {
      log({ error });
      throw error;
    }
  }

  /** Makes the request once. */
  async once<T>(call: Call): Promise<Answer<T>> {
    const abort = new AbortController();
    let ended: ErrorCode = "network";
    const end = (why: ErrorCode) => {
      ended = why;
      abort.abort();
    };
    const onAbort = () => {
      end("aborted");
    };
    if (call.signal?.aborted) throw new EvercartError("aborted", MESSAGES.aborted);
    call.signal?.addEventListener("abort", onAbort);
    const timer = setTimeout(() => {
      end("timeout");
    }, this.retry.timeoutMs);
    try {
      const response = await this.open(call, "application/*", abort.signal);
      if (response.status === 304) {
        return { value: null as T, etag: header(response, "ETag") };
      }
      const text = await response.text();
      if (!response.ok) throw problemOf(response, text);
      return { value: parsed(text) as T, etag: header(response, "ETag") };
    } catch (error) {
      if (isEvercartError(error)) throw error;
      const message = MESSAGES[ended as keyof typeof MESSAGES];
      const hint = message === MESSAGES.network ? this.#hint() : "";
      throw new EvercartError(ended, message + hint, { cause: error });
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", onAbort);
    }
  }

  /** A browser does not tell a shop that is away from one that does not allow the page's origin. */
  #hint(): string {
    const page = typeof location === "object" ? location.origin : "";
    if (!page || !this.#url || `${this.#url}/`.startsWith(`${page}/`)) return "";
    return ` If it runs, its cors_origins may lack ${page}.`;
  }

  /** Makes the request, again if that may help, and gives up when the caller has waited enough. */
  async call<T>(call: Call): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once<T>(call);
      } catch (error) {
        if (!isEvercartError(error) || !mayHelpToRetry(error)) throw error;
        const wait = waitMs(error, attempt, this.retry);
        if (attempt >= this.retry.attempts || wait > this.retry.patienceMs) throw error;
        await sleep(wait, call.signal);
      }
    }
  }
}

export const ELSE_ANSWERED = "Something else answered in the shop's place.";

const MESSAGES = {
  network: "The shop cannot be reached.",
  timeout: "The shop did not answer in time.",
  aborted: "The call was ended by its caller.",
};

/** True if the same request may succeed later, and nothing says that it was refused. */
export function mayHelpToRetry(error: EvercartError): boolean {
  return (
    error.code === "network" ||
    error.code === "timeout" ||
    error.code === "idempotency_key_in_use" ||
    error.status === 429 ||
    error.status >= 500
  );
}

/** How long to wait after the `attempt`-th try: never less than the server asked for. */
export function waitMs(error: EvercartError, attempt: number, retry: RetryOptions): number {
  const backOff = Math.min(retry.capMs, retry.baseMs * 2 ** Math.min(attempt - 1, 20));
  const jittered = backOff * (0.5 + Math.random() / 2);
  if (error.retryAfterMs === undefined) return jittered;
  return error.retryAfterMs + Math.random() * Math.min(1000, backOff);
}

/** Resolves after that time, or rejects when the signal says so. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(new EvercartError("aborted", MESSAGES.aborted));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** How long a key is good for: the server forgets it after 24 hours, and a clock may be off by one. */
export const KEY_LIFETIME_MS = 23 * 3600_000;

let lastMoment = 0;

/**
 * A new key: keys of one device sort in the order in which they were made. `after` is the newest key
 * known so far, so that a clock that was set back does not put new changes before old ones.
 */
export function newKey(after = ""): string {
  lastMoment = Math.max(Date.now(), lastMoment + 1, momentOf(after) + 1);
  const bytes = new Uint8Array(12);
  // Some React Native engines have no `crypto`. A key must be unique for its user, not secret.
  if (typeof crypto === "object") crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.floor(Math.random() * 256)));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return keyAt(lastMoment, random);
}

/** A key that sorts as those made at that moment. */
export function keyAt(moment: number, rest: string | number = moment): string {
  return `${Math.floor(moment).toString(36).padStart(9, "0")}-${rest}`;
}

/** When a key was made, in milliseconds since 1970. */
export function momentOf(key: string): number {
  const moment = Number.parseInt(key.slice(0, 9), 36);
  return Number.isNaN(moment) ? 0 : moment;
}

function queryText(query: Call["query"]): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

function header(response: Response, name: string): string | undefined {
  return response.headers.get(name) ?? undefined;
}

/** A page that a hotel's network shows in the shop's place is no answer. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EvercartError("network", ELSE_ANSWERED, { cause });
  }
}

/** What an answer that is not a success says. */
export function problemOf(response: Response, text: string): EvercartError {
  let body: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) body = value as Record<string, unknown>;
  } catch {
    // Not the shop's answer: said below.
  }
  const { code, detail, title, request_id, errors, type: _type, status: _status, ...facts } = body;
  const init = {
    status: response.status,
    requestId: text_(request_id) ?? header(response, "X-Request-Id"),
    errors: Array.isArray(errors) ? errors : [],
    facts,
    retryAfterMs: retryAfterMs(header(response, "Retry-After")),
  };
  if (typeof code !== "string") {
    return new EvercartError(
      "network",
      `Something else answered in the shop's place (${response.status}).`,
      init,
    );
  }
  return new EvercartError(code as ErrorCode, text_(detail) ?? text_(title) ?? code, init);
}

function text_(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Seconds or an HTTP date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return Math.max(0, seconds * 1000);
  const moment = Date.parse(value);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - Date.now());
}
