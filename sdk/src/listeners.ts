// Who wants to be told of something. Nobody waits for a listener, and none can break another.

/** Called after something has changed. What it returns or throws changes nothing. */
export type Listener<T> = (value: T) => void;

/** Ends a subscription. */
export type Unsubscribe = () => void;

/** A list of listeners. */
export class Listeners<T> {
  readonly #listeners = new Set<{ readonly call: Listener<T> }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Adds one; the same function added twice is told twice and removed once. */
  add(listener: Listener<T>): Unsubscribe {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Tells all of them. What one throws is thrown again where the platform reports such errors. */
  tell(value: T): void {
    for (const entry of [...this.#listeners]) {
      try {
        entry.call(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
