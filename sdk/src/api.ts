// What each call of the API sends and brings, read from the server's API document (schema.ts).

import type { Call } from "./http.js";
import type { paths } from "./schema.js";

type Template = keyof paths;

/** A path of the document with numbers for its ids. */
type Filled<Path extends string> = Path extends `${infer Start}{${string}}${infer End}`
  ? `${Start}${number}${Filled<End>}`
  : Path;

/** A path as it is asked for, such as `/cart/items/${number}`. */
export type Path = { [Each in Template]: Filled<Each> }[Template];

/** How a path is asked. */
export type Method = NonNullable<Call["method"]> | "GET";

type Operation<Verb extends Method, Asked extends Path> = {
  [Each in Template]: Asked extends Filled<Each> ? paths[Each][Lowercase<Verb>] : never;
}[Template];

type BodyOf<Of> = Of extends { requestBody: { content: { "application/json": infer Body } } }
  ? Body
  : Of extends { requestBody?: { content: { "application/json": infer Body } } }
    ? Body | undefined
    : undefined;

type QueryOf<Of> = Of extends { parameters: { query?: infer Query } } ? Query : undefined;

/** What the operation answers when it has done what was asked. */
type AnswerOf<Of> = Of extends { responses: infer Responses }
  ? {
      [Status in keyof Responses]: Status extends 200 | 201
        ? Responses[Status] extends { content: { "application/json": infer Answer } }
          ? Answer
          : never
        : never;
    }[keyof Responses]
  : never;

/** A request of the document's: path, body and query fit together. */
export type Asking<Asked extends Path, Verb extends Method = "GET"> = Omit<
  Call,
  "method" | "path" | "body" | "query"
> & {
  readonly method?: Verb;
  readonly path: Asked;
  readonly query?: QueryOf<Operation<Verb, Asked>>;
} & (undefined extends BodyOf<Operation<Verb, Asked>>
    ? { readonly body?: BodyOf<Operation<Verb, Asked>> }
    : { readonly body: BodyOf<Operation<Verb, Asked>> });

/** What is answered to it. */
export type Answer<Asked extends Path, Verb extends Method = "GET"> = AnswerOf<
  Operation<Verb, Asked>
>;
