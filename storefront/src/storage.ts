// What the shop itself keeps in the browser. A browser that keeps nothing still gets a shop.

/** What is kept under `key`; null if nothing is, or nothing can be. */
export function stored(of: "local" | "session", key: string): string | null {
  try {
    return areaOf(of).getItem(key);
  } catch {
    return null;
  }
}

/** Keeps `value` if that can be done; null removes it. */
export function keep(of: "local" | "session", key: string, value: string | null): void {
  try {
    if (value === null) areaOf(of).removeItem(key);
    else areaOf(of).setItem(key, value);
  } catch {
    // It then lasts as long as the page.
  }
}

/** Removes whatever is kept of this tab under keys that begin with `prefix`. */
export function forget(prefix: string): void {
  try {
    for (const key of Object.keys(sessionStorage))
      if (key.startsWith(prefix)) sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}

/** What is kept under `key` as an object of texts. */
export function storedTexts(key: string): Record<string, string> {
  try {
    const found: unknown = JSON.parse(stored("session", key) ?? "{}");
    if (typeof found !== "object" || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    );
  } catch {
    return {};
  }
}

// A getter, since only looking at it throws where it is forbidden.
const areaOf = (of: "local" | "session") => (of === "local" ? localStorage : sessionStorage);
