// What the server has written into the page: the market it took the visitor for, and what the API
// would answer to the first questions.

interface First {
  readonly market?: string;
  readonly answers?: Readonly<Record<string, unknown>>;
}

function read(): First {
  try {
    return JSON.parse(document.getElementById("first")?.textContent ?? "{}") as First;
  } catch {
    return {};
  }
}

const first = read();

/** The market the server took the visitor for. */
export const likelyMarket: string | undefined = first.market;

/** The answer that came with the page, if it is the market's. */
export function firstAnswer<T>(market: string, path: string): T | undefined {
  return market === first.market ? (first.answers?.[path] as T | undefined) : undefined;
}
