// Runs what a button or a form starts: one at a time, its failure in words.

import { isEvercartError } from "evercart";
import { useCallback, useRef, useState } from "react";
import type { Refusal } from "./refusals";
import { useShop } from "./shop";

const NONE: Refusal = { text: "", fields: {} };

export function useAction() {
  const { refusalOf } = useShop();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState(NONE);
  const running = useRef(false);
  const run = useCallback(
    async (action: () => Promise<unknown>): Promise<boolean> => {
      if (running.current) return false;
      running.current = true;
      setBusy(true);
      setRefusal(NONE);
      try {
        await action();
        return true;
      } catch (caught) {
        // The page asks for a new sign-in itself.
        if (!isExpired(caught)) setRefusal(refusalOf(caught));
        return false;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    [refusalOf],
  );
  return { busy, refusal, error: refusal.text, run };
}

function isExpired(error: unknown): boolean {
  return (
    isEvercartError(error, "token_expired") ||
    isEvercartError(error, "token_invalid") ||
    isEvercartError(error, "not_authenticated")
  );
}
