// What a guest has collected becomes the customer's who signs in. Every tab that does it with the same
// changes does the same, under the same keys, so that it is done once.

import { keyAt } from "./http.js";
import type { Entry, Journal } from "./journal.js";
import type { Change, LineDetails, MergeStrategy } from "./types.js";
import { detailsOf, isOfCart, linesOf, wishlistView } from "./view.js";

/** Makes the guests' changes those of `owner`. */
export function claim(journal: Journal, owner: number, strategy: MergeStrategy): void {
  const entries = journal.list().filter((entry) => entry.owner === null);
  if (entries.length === 0) return;
  const changes = entries.map(({ change }) => change);
  const wished = new Set(
    wishlistView(null, changes, true, true).items.map((wish) => wish.product_id),
  );
  const own: Entry[] = [];
  const gone: Entry[] = [];
  const rest: Entry[] = [];
  for (const entry of [...entries].reverse()) {
    const { change } = entry;
    if (isOfCart(change)) {
      // Late ones were made in a tab that had not heard of the sign-in, after their guest's cart was merged.
      if (!journal.isMerged(entry.guest)) rest.unshift(entry);
      // The customer's cart is more than what was cleared.
      else if (change.kind === "clear") gone.push(entry);
      else own.unshift({ ...entry, owner, change: ofCartAlone(change) });
    } else if (change.kind === "wish" && wished.delete(change.product_id)) {
      own.unshift({ ...entry, owner });
    } else gone.push(entry);
  }
  // Tabs that begin at the same moment begin as several guests, and show one cart. The larger of two can be
  // made again without harm, so that they are one merge; a sum cannot, and each is one of its own.
  const groups =
    strategy === "max"
      ? [rest]
      : [...new Set(rest.map(({ guest }) => guest))].map((guest) =>
          rest.filter((entry) => entry.guest === guest),
        );
  for (const group of groups) if (!merge(journal, group, owner, strategy)) gone.push(...group);
  void journal.put(...own);
  journal.settle(gone);
}

/** Makes one change of a guest's changes. False if they come to nothing. */
function merge(
  journal: Journal,
  group: readonly Entry[],
  owner: number,
  strategy: MergeStrategy,
): boolean {
  const changes = group.map(({ change }) => change);
  const items = linesOf(changes);
  if (items.length === 0) return false;
  const details = Object.assign({}, ...changes.map(detailsOf)) as Record<number, LineDetails>;
  const guests = [...new Set(group.flatMap(({ guest }) => guest ?? []))];
  // The same in every tab, also in one that does not know of all changes: the server takes one of them.
  const key = guests.length > 0 ? keyAt(Math.min(...guests)) : (group[0]?.key ?? "");
  const covers = group.map((entry) => entry.key);
  const change = { kind: "merge", items, strategy, details } as const;
  // One write, which stands for all of them.
  void journal.put({ key: `${key}m`, owner, change, covers, guests });
  return true;
}

/** A guest's wishlist is not on the server: nothing can be moved from it there. */
function ofCartAlone(change: Change): Change {
  if (change.kind !== "move") return change;
  const { sku_id, quantity, details } = change;
  return { kind: "add", sku_id, quantity, ...(details && { details }) };
}
