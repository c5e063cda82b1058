// What a guest has collected becomes the customer's who signs in. Every tab that does it with the same
// changes does the same, under the same keys, so that it is done once.

import { keyAt } from "./http.js";
import type { Entry, Journal } from "./journal.js";
import type { Change, LineDetails, MergeStrategy } from "./types.js";
import { detailsOf, isOfCart, linesOf, wishlistView } from "./view.js";

/** Makes the guests' changes those of `owner`. */
export function claim(journal: Journal, owner: number, strategy: MergeStrategy): void {
  const entries = journal.list().filter((entry) => entry.owner === null);
  for (const guest of new Set(entries.map((entry) => entry.guest)))
    claimOne(
      journal,
      entries.filter((entry) => entry.guest === guest),
      { owner, strategy },
    );
}

/** Those of one guest: of the time between two sign-ins. */
function claimOne(
  journal: Journal,
  entries: readonly Entry[],
  { owner, strategy }: { owner: number; strategy: MergeStrategy },
): void {
  const all = entries.map(({ change }) => change);
  const mergeKey = keyOf(entries);
  // The rest was made in a tab that had not heard of the sign-in, after its guest's cart was merged.
  const isLate = journal.get(mergeKey) !== undefined;
  const wished = new Set(wishlistView(null, all, true, true).items.map((wish) => wish.product_id));
  const own: Entry[] = [];
  const gone: Entry[] = [];
  const cart = entries.filter(({ change }) => isOfCart(change));
  for (const entry of [...entries].reverse()) {
    const { change } = entry;
    if (isOfCart(change)) {
      // The customer's cart is more than what was cleared.
      if (isLate) (change.kind === "clear" ? gone : own).unshift({ ...entry, owner });
    } else if (change.kind === "wish" && wished.delete(change.product_id)) {
      own.unshift({ ...entry, owner });
    } else gone.push(entry);
  }
  const changes = cart.map(({ change }) => change);
  const items = linesOf(changes);
  if (isLate) {
    // Each is sent by itself, below.
  } else if (items.length > 0) {
    const details = Object.assign({}, ...changes.map(detailsOf)) as Record<number, LineDetails>;
    const change = { kind: "merge", items, strategy, details } as const;
    const covers = cart.map(({ key }) => key);
    // One write, which stands for all of them.
    void journal.put({ key: mergeKey, owner, change, covers });
  } else gone.push(...cart);
  void journal.put(...own.map((entry) => ({ ...entry, change: ofCartAlone(entry.change) })));
  journal.settle(gone);
}

/** The same in every tab, also in one that does not know of all changes: the server takes one of them. */
function keyOf([first]: readonly Entry[]): string {
  return first?.guest === undefined ? `${first?.key ?? ""}m` : `${keyAt(first.guest)}m`;
}

/** A guest's wishlist is not on the server: nothing can be moved from it there. */
function ofCartAlone(change: Change): Change {
  if (change.kind !== "move") return change;
  const { sku_id, quantity, details } = change;
  return { kind: "add", sku_id, quantity, ...(details && { details }) };
}
