// A network that loses, repeats and delays, always in the same way for the same seed.

import type { Fetch } from "../../src/index.js";
import { problem } from "../../src/testing.js";

/** A generator of numbers from 0 to below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

/** How often each fault happens, from 0 to 1. */
export interface Faults {
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly duplicate: number;
  readonly delay: number;
  readonly overloaded: number;
  readonly captivePortal: number;
}

export interface FaultyNetwork {
  readonly fetch: Fetch;
  /** While false nothing arrives. */
  isUp: boolean;
  /** How often each fault has happened. */
  readonly happened: Record<keyof Faults, number>;
  /** Resolves when copies that were sent late have arrived, too. */
  quiet(): Promise<void>;
}

const DELAY_MAX_MS = 5;

export function faultyNetwork(
  seed: number,
  faults: Faults,
  under: Fetch = realFetch,
): FaultyNetwork {
  const random = seeded(seed);
  const late = new Set<Promise<unknown>>();
  const happened = {
    lostRequest: 0,
    lostAnswer: 0,
    duplicate: 0,
    delay: 0,
    overloaded: 0,
    captivePortal: 0,
  };
  const does = (fault: keyof Faults) => {
    // Drawn also for the faults that do not happen, so that one more does not change all others.
    const happens = random() < faults[fault];
    if (happens) happened[fault] += 1;
    return happens;
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, random() * DELAY_MAX_MS));
  const network: FaultyNetwork = {
    isUp: true,
    happened,
    async fetch(input, init) {
      if (!network.isUp) throw new TypeError("fetch failed");
      if (does("delay")) await pause();
      if (does("lostRequest")) throw new TypeError("fetch failed");
      if (does("overloaded")) return problem(503, "overloaded", { "Retry-After": "0" });
      if (does("captivePortal"))
        return new Response("<h1>Welcome to our hotel</h1>", { status: 200 });
      if (does("duplicate")) {
        const copy = pause().then(() => under(input, { ...init, signal: undefined }));
        const done = copy.then(
          (response) => response.text(),
          () => undefined,
        );
        late.add(done);
        void done.then(() => late.delete(done));
      }
      const response = await under(input, init);
      if (!does("lostAnswer")) return response;
      await response.text();
      throw new TypeError("fetch failed");
    },
    async quiet() {
      while (late.size > 0) await Promise.all(late);
    },
  };
  return network;
}

const realFetch: Fetch = (input, init) => fetch(input, init);
