// What was typed into a form and not sent yet. It outlives a reload and an expired sign-in, in this tab;
// signing out removes it.

import { useSession } from "evercart/react";
import { useMemo } from "react";
import { useShop } from "./shop";
import { forget, keep, storedTexts } from "./storage";

const PREFIX = "evercart-shop:draft:";

export interface Draft {
  /** What was typed, by the field's name. */
  readonly typed: Readonly<Record<string, string>>;
  readonly keep: (form: HTMLFormElement) => void;
  readonly drop: () => void;
}

/** The draft of the form of that name, of the customer who is signed in or was until it expired. */
export function useDraft(name: string): Draft {
  const { market } = useShop();
  const { user } = useSession();
  const key = `${PREFIX}${market}:${user?.id ?? ""}:${name}`;
  return useMemo(
    () => ({
      typed: storedTexts(key),
      keep: (form) => keep("session", key, JSON.stringify(typedIn(form))),
      drop: () => keep("session", key, null),
    }),
    [key],
  );
}

/** All but codes, which are good for one use only. */
function typedIn(form: HTMLFormElement): Record<string, string> {
  const isCode = (name: string) => {
    const field = form.elements.namedItem(name);
    return field instanceof HTMLInputElement && field.autocomplete === "one-time-code";
  };
  return Object.fromEntries(
    [...new FormData(form)].filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && !isCode(entry[0]),
    ),
  );
}

/** Removes all drafts of this tab. */
export function dropDrafts(): void {
  forget(PREFIX);
}
