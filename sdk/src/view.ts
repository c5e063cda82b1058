// What the customer is shown: the server's truth with the waiting changes made to it. Only arithmetic;
// nothing here is kept or sent.

import type {
  Cart,
  CartLine,
  CartView,
  Change,
  LineDetails,
  MergeItem,
  WishedProduct,
  Wishlist,
  WishlistItem,
  WishlistView,
} from "./types.js";

/** A cart of nobody with nothing in it. */
export const NO_CART: Cart = {
  id: 0,
  user_id: 0,
  version: 0,
  currency: "",
  items: [],
  total_items: 0,
  total_price: 0,
  notices: [],
  updated_at: null,
};

/** A wishlist of nobody with nothing on it. */
export const NO_WISHLIST: Wishlist = { id: 0, user_id: 0, items: [], total_items: 0 };

/**
 * The cart with the changes made to it. A guest's are not on their way: nothing of them is pending, and the
 * catalogue, as `known`, says what their lines are.
 */
export function cartView(
  truth: Cart | null,
  changes: readonly Change[],
  isGuest: boolean,
  loaded: boolean,
  known?: (skuId: number) => LineDetails | undefined,
): CartView {
  const { skipped: _, ...base } = truth ?? NO_CART;
  const lines = new Map<number, CartLine>();
  for (const item of base.items) lines.set(item.sku_id, { ...item, pending: false });
  let { currency } = base;
  const mine = changes.filter(isOfCart);
  for (const change of mine) {
    for (const details of Object.values(detailsOf(change))) currency ||= details.currency ?? "";
    apply(lines, change, !isGuest);
  }
  if (isGuest) for (const line of [...lines.values()]) renew(lines, line, known?.(line.sku_id));
  const items = [...lines.values()];
  const pending = isGuest ? 0 : mine.length;
  if (mine.length === 0) return { ...base, items, pending, loaded };
  return {
    ...base,
    currency,
    items,
    total_items: items.reduce((sum, line) => sum + line.quantity, 0),
    total_price: fromThousandths(
      items.reduce((sum, line) => sum + thousandths(line.line_total), 0),
    ),
    pending,
    loaded,
  };
}

/** The wishlist with the changes made to it. */
export function wishlistView(
  truth: Wishlist | null,
  changes: readonly Change[],
  isGuest: boolean,
  loaded: boolean,
): WishlistView {
  const base = truth ?? NO_WISHLIST;
  let items: readonly WishlistItem[] = base.items;
  let pending = 0;
  for (const change of changes) {
    if (change.kind === "unwish_all") items = [];
    else if (change.kind === "unwish" || change.kind === "move") {
      items = items.filter((item) => item.product_id !== change.product_id);
    } else if (change.kind === "wish") {
      if (!items.some((item) => item.product_id === change.product_id)) {
        items = [wished(change.product_id, change.product), ...items];
      }
    } else continue;
    pending += 1;
  }
  return {
    ...base,
    items: [...items],
    total_items: items.length,
    pending: isGuest ? 0 : pending,
    loaded,
  };
}

/** What a guest's cart comes to, for a merge. */
export function linesOf(changes: readonly Change[]): MergeItem[] {
  const { items } = cartView(null, changes, true, true);
  return items.map(({ sku_id, quantity }) => ({ sku_id, quantity }));
}

/** What the change's lines show until the server has answered, by SKU. */
export function detailsOf(change: Change): Readonly<Record<number, LineDetails>> {
  if (change.kind === "merge") return change.details ?? {};
  return "details" in change && change.details ? { [change.sku_id]: change.details } : {};
}

/** True if the change is one of the cart. A `move` is of both. */
export function isOfCart(change: Change): boolean {
  return change.kind !== "wish" && change.kind !== "unwish" && change.kind !== "unwish_all";
}

function apply(lines: Map<number, CartLine>, change: Change, pending: boolean): void {
  const set = (skuId: number, quantity: number, details?: LineDetails) => {
    put(lines, skuId, quantity, pending, details);
  };
  switch (change.kind) {
    case "add":
    case "move":
      set(change.sku_id, quantityOf(lines, change.sku_id) + change.quantity, change.details);
      break;
    case "set":
      set(change.sku_id, change.quantity);
      break;
    case "clear":
      lines.clear();
      break;
    case "merge":
      for (const { sku_id, quantity } of change.items) {
        const had = quantityOf(lines, sku_id);
        const details = change.details?.[sku_id];
        set(sku_id, change.strategy === "max" ? Math.max(had, quantity) : had + quantity, details);
      }
      break;
    default:
  }
}

function quantityOf(lines: Map<number, CartLine>, skuId: number): number {
  return lines.get(skuId)?.quantity ?? 0;
}

function put(
  lines: Map<number, CartLine>,
  skuId: number,
  quantity: number,
  pending: boolean,
  details?: LineDetails,
): void {
  if (quantity <= 0) {
    lines.delete(skuId);
    return;
  }
  const line = lines.get(skuId) ?? newLine(skuId, details);
  const line_total = fromThousandths(thousandths(line.price) * quantity);
  lines.set(skuId, { ...line, quantity, line_total, pending });
}

/** Shows a line as the catalogue has it now. */
function renew(lines: Map<number, CartLine>, line: CartLine, details: LineDetails = {}): void {
  const { currency: _, ...now } = details;
  lines.set(line.sku_id, { ...line, ...now });
  put(lines, line.sku_id, line.quantity, false);
}

function newLine(skuId: number, details: LineDetails = {}): CartLine {
  const { currency: _, ...known } = details;
  return {
    id: -skuId,
    sku_id: skuId,
    product_id: 0,
    sku_code: "",
    name: "",
    size: null,
    color: null,
    image: null,
    quantity: 0,
    price: 0,
    line_total: 0,
    original_price: null,
    available: true,
    ...known,
    pending: true,
  };
}

function wished(productId: number, product: Partial<WishedProduct> = {}): WishlistItem {
  return {
    id: -productId,
    product_id: productId,
    product: {
      name: "",
      brand: null,
      image: null,
      price: 0,
      original_price: null,
      available: true,
      ...product,
      id: productId,
    },
    added_at: "",
  };
}

// Amounts are decimals with at most three places; added up as they are, they would drift.

export function thousandths(amount: number): number {
  return Math.round(amount * 1000);
}

export function fromThousandths(count: number): number {
  return count / 1000;
}
