// What a page reads when it is shown.

import { useCallback, useEffect, useRef, useState } from "react";

interface Loaded<T> {
  /** What was read last for these keys; it stays while it is read again. */
  readonly value?: T;
  readonly error?: unknown;
  readonly again: () => void;
}

/**
 * What `load` answers; read again when `keys` change or on demand, and only while `when` is true. Until
 * then it is what came with the page as the `first`.
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
  when = true,
  first?: T,
): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error?: unknown; for?: string }>({});
  const [turn, setTurn] = useState(0);
  const newest = useRef(load);
  useEffect(() => {
    newest.current = load;
  });
  const key = JSON.stringify(keys);
  useEffect(() => {
    if (!when) return;
    const ending = new AbortController();
    newest.current(ending.signal).then(
      (value) => ending.signal.aborted || setState({ value, for: key }),
      (error: unknown) => ending.signal.aborted || setState({ error, for: key }),
    );
    return () => ending.abort();
  }, [key, turn, when]);
  const again = useCallback(() => setTurn((turn) => turn + 1), []);
  const { value, error } = state.for === key ? state : { value: first };
  return { value, error, again };
}
