// Who waits for a change's answer, and for how long.

import { EvercartError } from "./errors.js";
import type { Skipped } from "./types.js";

/** How long a caller waits for the server's answer before it is told that the change is kept. */
const PATIENCE_MS = 5000;

interface Waiter {
  readonly resolve: (skipped: readonly Skipped[] | undefined) => void;
  readonly reject: (error: EvercartError) => void;
  /** False if the change is in memory only. */
  readonly isKept: boolean;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** What a change is told that waits and is in no storage. */
export function unkept(): EvercartError {
  return new EvercartError("storage", "The device's storage did not take the change.");
}

/** Callers, by the key of their change. */
export class Waiters {
  readonly #waiters = new Map<string, Waiter>();

  /** Resolves with the server's answer, or with undefined when it is known that the change has to wait. */
  wait(key: string, isKept: boolean): Promise<readonly Skipped[] | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#release(key);
      }, PATIENCE_MS);
      this.#waiters.set(key, { resolve, reject, isKept, timer });
    });
  }

  /** Tells that the server has taken the change. False if nobody waits. */
  answer(key: string, skipped: readonly Skipped[]): boolean {
    const waiter = this.#take(key);
    waiter?.resolve(skipped);
    return waiter !== undefined;
  }

  /** Tells that the server has refused the change. False if nobody waits. */
  refuse(key: string, error: EvercartError): boolean {
    const waiter = this.#take(key);
    waiter?.reject(error);
    return waiter !== undefined;
  }

  /** Tells all that wait that their changes are kept; or, where they are not, that. */
  releaseAll(): void {
    for (const key of [...this.#waiters.keys()]) this.#release(key);
  }

  #release(key: string): void {
    const waiter = this.#take(key);
    if (waiter?.isKept) waiter.resolve(undefined);
    else waiter?.reject(unkept());
  }

  #take(key: string): Waiter | undefined {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    clearTimeout(waiter?.timer);
    return waiter;
  }
}
