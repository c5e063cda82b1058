// The package's public face.

export { createClient } from "./client.js";
export type { Client, ClientOptions } from "./client.js";
export type { Refusal } from "./outbox.js";
export type { LiveMode } from "./live.js";
export type { Auth, EraseOptions, LogoutResult, SignInResult } from "./auth.js";
export type { Cart as CartApi } from "./cart.js";
export type { Wishlist as WishlistApi } from "./wishlist.js";
export type { Orders as OrdersApi, OrderQuery } from "./orders.js";
export type { Addresses as AddressesApi } from "./addresses.js";
export type { Products as ProductsApi, ProductQuery } from "./products.js";
export { quote } from "./quote.js";
export type { Quote } from "./quote.js";
export { EvercartError, isEvercartError } from "./errors.js";
export type {
  ClientCode,
  ErrorCode,
  ErrorFacts,
  ErrorInit,
  EvercartErrorOf,
  FactsOf,
  ProblemCode,
} from "./errors.js";
export { memoryStorage } from "./storage.js";
export type { MaybePromise, Storage } from "./storage.js";
export type { Fetch, FetchInit, HttpOptions, LogEntry, RetryOptions } from "./http.js";
export type { Listener, Unsubscribe } from "./listeners.js";
export type { SignedOut } from "./session.js";
export type * from "./types.js";
export type { components, paths } from "./schema.js";
