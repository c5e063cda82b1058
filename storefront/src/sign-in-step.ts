// How far a sign-in has come. It outlives a reload: a code that was sent can still be typed in.

import type { CodeSent } from "evercart";
import { useCallback, useRef, useState } from "react";
import { useShop } from "./shop";
import { keep, stored } from "./storage";

export interface Step {
  /** As it was typed. */
  readonly phone: string;
  /** The code that was sent to it; null before. */
  readonly sent: Pick<
    CodeSent,
    "phone_number" | "resend_after_seconds" | "expires_in_minutes" | "demo_code"
  > | null;
  /** When it was sent, in milliseconds by this device's clock. */
  readonly sentAt: number;
  /** Whether the account was moved away from this phone, and what the visitor does about it. */
  readonly moved: "can_stop" | "stopping" | "stopped" | null;
}

const KEY = "evercart-shop:sign-in";
const BEGINNING: Step = { phone: "", sent: null, sentAt: 0, moved: null };

/** The step of this tab's sign-in in the market that is shown. */
export function useSignInStep(): { step: Step; to: (change: Partial<Step>) => void } {
  const { market } = useShop();
  const [step, setStep] = useState(() => read(market));
  const newest = useRef(step);
  const to = useCallback(
    (change: Partial<Step>) => {
      newest.current = { ...newest.current, ...change };
      keep("session", KEY, JSON.stringify({ market, step: newest.current }));
      setStep(newest.current);
    },
    [market],
  );
  return { step, to };
}

function read(market: string): Step {
  try {
    const kept = JSON.parse(stored("session", KEY) ?? "null") as {
      market: string;
      step: Step;
    } | null;
    if (kept === null) return BEGINNING;
    const { phone, sent, sentAt } = kept.step;
    const isGood = sent && Date.now() < sentAt + sent.expires_in_minutes * 60_000;
    // In another market the number alone is taken along.
    return kept.market === market && isGood ? kept.step : { ...BEGINNING, phone };
  } catch {
    return BEGINNING;
  }
}
