// Keeps the cart up to date while somebody looks at it: a stream of events where the platform can read
// one, else asking now and then. Of several tabs one does it for all.

import { isSessionEnd, type Core } from "./core.js";
import { EvercartError, isEvercartError } from "./errors.js";
import { problemOf, sleep, waitMs } from "./http.js";
import type { Tabs } from "./tabs.js";
import type { Truth } from "./truth.js";
import type { Cart, SignOutReason } from "./types.js";

/** How the cart is kept up to date. */
export type LiveMode = "auto" | "stream" | "poll" | "off";

/** A stream shows a sign of life every 20 s; without one for this long it is dead. */
const SILENCE_MAX_MS = 65_000;
/** Longer than a server takes to begin a stream. */
const BEGIN_MAX_MS = 10_000;
/** A page that goes as the next one comes has nobody listen for a moment. */
const GRACE_MS = 1_000;
/** So many times in a row without an answer, streams are taken for impossible here. */
const BEGIN_FAILURES_MAX = 2;

/** Follows the cart of whoever is signed in. */
export class Live {
  readonly #core: Core;
  readonly #truth: Truth;
  readonly #tabs: Tabs;
  readonly #pollMs: number;
  readonly #readCart: () => Promise<void>;
  #mode: LiveMode;
  #isWanted = false;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #run: { readonly abort: AbortController; readonly token: string } | undefined;
  /** Ends the wait between two tries. */
  #wake: AbortController | undefined;
  #beginFailures = 0;
  #reconnectMs: number | undefined;

  constructor(
    core: Core,
    truth: Truth,
    tabs: Tabs,
    options: { mode: LiveMode; pollMs: number; isOwnFetch: boolean },
    readCart: () => Promise<void>,
  ) {
    this.#core = core;
    this.#truth = truth;
    this.#tabs = tabs;
    this.#pollMs = options.pollMs;
    this.#readCart = readCart;
    const canStream = typeof TextDecoder === "function" && (options.isOwnFetch || canReadStreams());
    this.#mode = options.mode === "auto" && !canStream ? "poll" : options.mode;
  }

  /** To be called when the first listener comes, and when the last one has gone. */
  want(isWanted: boolean): void {
    clearTimeout(this.#grace);
    if (isWanted === this.#isWanted) return;
    const decide = () => {
      this.#isWanted = isWanted;
      this.follow();
    };
    if (isWanted) decide();
    else this.#grace = setTimeout(decide, GRACE_MS);
  }

  /** To be called when the session has changed. */
  follow(): void {
    const token = this.#isWanted ? this.#core.sessions.token : null;
    if (this.#run?.token === (token ?? undefined)) return;
    this.#run?.abort.abort();
    this.#run = undefined;
    if (token === null) return;
    const abort = new AbortController();
    this.#run = { abort, token };
    const read = () => void this.#readCart().catch(() => undefined);
    if (this.#mode === "off") read();
    else void this.#tabs.lead("live", abort.signal, () => this.#follow(token, abort.signal), read);
  }

  close(): void {
    clearTimeout(this.#grace);
    this.#isWanted = false;
    this.follow();
  }

  /** Tries again now, if it is waiting to. */
  wake(): void {
    this.#wake?.abort();
  }

  async #follow(token: string, signal: AbortSignal): Promise<void> {
    let failures = 0;
    let etag: string | undefined;
    while (!hasEnded(signal)) {
      let wait = this.#pollMs;
      try {
        if (this.#mode === "poll") {
          etag = await this.#poll(token, etag, signal);
          failures = 0;
        } else {
          await this.#stream(token, signal, () => {
            failures = 0;
          });
          // It ended without a reason: the server stops, or a proxy has a limit.
          wait = (this.#reconnectMs ?? this.#core.http.retry.baseMs) * (0.5 + Math.random());
        }
      } catch (error) {
        if (hasEnded(signal)) return;
        if (isSessionEnd(error)) {
          this.#core.sessions.refused(token, error);
          return;
        }
        failures += 1;
        const failure = isEvercartError(error)
          ? error
          : new EvercartError("network", String(error));
        wait = waitMs(failure, failures, this.#core.http.retry);
      }
      await this.#rest(wait, signal);
    }
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    const onAbort = () => {
      wake.abort();
    };
    this.#wake = wake;
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) wake.abort();
    await sleep(ms, wake.signal).catch(() => undefined);
    signal.removeEventListener("abort", onAbort);
  }

  async #poll(
    token: string,
    etag: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (typeof document !== "undefined" && document.visibilityState === "hidden") return etag;
    const call = { path: "/cart", token, ifNoneMatch: etag, signal } as const;
    const answer = await this.#core.http.once<Cart | null>(call);
    if (answer.value) this.#push(answer.value);
    return answer.etag ?? etag;
  }

  /** Reads a stream to its end. */
  async #stream(token: string, signal: AbortSignal, alive: () => void): Promise<void> {
    const abort = new AbortController();
    const onAbort = () => {
      abort.abort();
    };
    signal.addEventListener("abort", onAbort);
    let timer = setTimeout(onAbort, BEGIN_MAX_MS);
    let hasBegun = false;
    try {
      const call = { path: "/cart/events", token } as const;
      const response = await this.#core.http.open(call, "text/event-stream", abort.signal);
      if (!response.ok) {
        const problem = problemOf(response, await response.text());
        // A shop that has no streams is asked now and then instead.
        if (response.status === 404 || response.status === 405) this.#mode = "poll";
        throw problem;
      }
      const reader = (response.body as ReadableStream<Uint8Array> | null | undefined)?.getReader();
      if (!reader) {
        this.#mode = "poll";
        this.#reconnectMs = 0;
        return;
      }
      hasBegun = true;
      this.#beginFailures = 0;
      const events = new EventReader((event, data) => {
        this.#event(token, event, data);
      });
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(onAbort, SILENCE_MAX_MS);
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        this.#reconnectMs = events.feed(value) ?? this.#reconnectMs;
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      if (!hasBegun && abort.signal.aborted && !signal.aborted) {
        this.#beginFailures += 1;
        if (this.#mode === "auto" && this.#beginFailures >= BEGIN_FAILURES_MAX) this.#mode = "poll";
      }
      abort.abort();
    }
  }

  #event(token: string, event: string, data: string): void {
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      return;
    }
    if (event === "cart") this.#push(value as Cart);
    if (event === "signed_out") {
      const { code, detail } = value as { code?: string; detail?: string };
      const init = { status: 401 };
      const error = new EvercartError(
        (code ?? "signed_out") as SignOutReason,
        detail ?? "Signed out.",
        init,
      );
      this.#core.sessions.refused(token, error);
    }
  }

  #push(cart: Cart): void {
    const { owner } = this.#truth;
    if (owner === null || !Array.isArray((cart as Partial<Cart>).items)) return;
    this.#truth.push(owner, cart);
    this.#tabs.tell({ about: "cart", owner, cart });
  }
}

/** Takes server-sent events out of what a stream brings, wherever it is cut. */
export class EventReader {
  readonly #decoder = new TextDecoder();
  readonly #tell: (event: string, data: string) => void;
  #rest = "";
  #event = "";
  #data: string[] = [];

  constructor(tell: (event: string, data: string) => void) {
    this.#tell = tell;
  }

  /** Returns how long to wait before the next connection, if the server has said so. */
  feed(bytes: Uint8Array): number | undefined {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    // A line break may be cut in two: a CR at the end waits for what follows it.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    let retry: number | undefined;
    for (const line of lines) {
      const [, field = "", value = ""] = /^([^:]*)(?:: ?)?([^]*)$/.exec(line) ?? [];
      if (line === "") this.#end();
      else if (field === "event") this.#event = value;
      else if (field === "data") this.#data.push(value);
      else if (field === "retry" && /^\d+$/.test(value)) retry = Number(value);
    }
    return retry;
  }

  #end(): void {
    if (this.#data.length > 0) this.#tell(this.#event || "message", this.#data.join("\n"));
    this.#event = "";
    this.#data = [];
  }
}

function hasEnded(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** React Native's own `fetch` brings the body only when it has ended. */
function canReadStreams(): boolean {
  return (
    typeof ReadableStream === "function" &&
    typeof Response === "function" &&
    "body" in Response.prototype
  );
}
