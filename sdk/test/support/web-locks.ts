// navigator.locks for tests: exclusive locks, waited for in order, with `ifAvailable` and signals.

type Work = (lock: object | null) => Promise<unknown>;
interface Options {
  readonly signal?: AbortSignal;
  readonly ifAvailable?: boolean;
}

export function webLocks(): {
  request(name: string, options: Options, work: Work): Promise<unknown>;
} {
  const held = new Set<string>();
  const waiting = new Map<string, (() => void)[]>();
  const release = (name: string) => {
    held.delete(name);
    waiting.get(name)?.shift()?.();
  };
  return {
    async request(name, { signal, ifAvailable }, work) {
      await Promise.resolve();
      if (held.has(name)) {
        if (ifAvailable) return work(null);
        await new Promise<void>((resolve, reject) => {
          const queue = waiting.get(name) ?? [];
          waiting.set(name, queue);
          const turn = () => {
            signal?.removeEventListener("abort", onAbort);
            held.add(name);
            resolve();
          };
          const onAbort = () => {
            queue.splice(queue.indexOf(turn), 1);
            reject(new DOMException("aborted", "AbortError"));
          };
          queue.push(turn);
          signal?.addEventListener("abort", onAbort);
        });
      }
      if (signal?.aborted) throw new DOMException("aborted", "AbortError");
      held.add(name);
      try {
        return await work({ name });
      } finally {
        release(name);
      }
    },
  };
}
