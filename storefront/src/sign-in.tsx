// Signing in by phone and code: on a page of its own, in the place of a page that needs it, or over one
// whose customer's sign-in has expired.

import { isEvercartError } from "evercart";
import { useClient, useSession } from "evercart/react";
import { useEffect, useRef, useState } from "react";
import { go, useAddress } from "./address";
import { useAction } from "./action";
import { code, CodeField, Field, Form, FormProblem, text, useSending } from "./form";
import { countryOf } from "./money";
import { Problem } from "./pieces";
import { useShop } from "./shop";
import { useSignInStep, type Step } from "./sign-in-step";
import { useTitle } from "./title";

/** The page at `/sign-in`: leads to where the visitor was going. */
export function SignInPage() {
  const { signedIn } = useSession();
  const then = useAddress().searchParams.get("then") ?? "/";
  useEffect(() => {
    if (signedIn) go(/^\/(?!\/)/.test(then) ? then : "/", { replace: true });
  }, [signedIn, then]);
  return <SignIn />;
}

/** The sign-in over a page, which stays as it is. */
export function SignInOver() {
  const { t } = useShop();
  const { status } = useSession();
  const [isClosed, setClosed] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = status === "expired" && !isClosed;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  if (status !== "expired") return null;
  if (isClosed)
    return (
      <p className="hint" role="status">
        {t.expired}{" "}
        <button type="button" className="link" onClick={() => setClosed(false)}>
          {t.signIn}
        </button>
      </p>
    );
  return (
    <dialog
      ref={dialog}
      className="over"
      aria-label={t.signIn}
      onClose={() => setClosed(true)}
      // Presses of keys in it are none of the form's below.
      onInput={(event) => event.stopPropagation()}
    >
      {/* The focus begins with what comes first. */}
      <SignIn isOver />
      <button
        type="button"
        className="icon"
        onClick={() => dialog.current?.close()}
        aria-label={t.close}
      >
        ×
      </button>
    </dialog>
  );
}

/** The form alone. Whoever shows it sees by the session that it was done. */
export function SignIn({ isOver = false }: { isOver?: boolean }) {
  const { t } = useShop();
  const { status } = useSession();
  const { step, to } = useSignInStep();
  useTitle(isOver ? undefined : t.signIn);
  const Heading = isOver ? "h2" : "h1";
  return (
    <div className={isOver ? "" : "sheet narrow"}>
      <Heading>{t.signIn}</Heading>
      {step.moved === "stopped" && <p role="status">{t.phoneMoveStopped}</p>}
      {status === "expired" && <p className="hint">{t.expired}</p>}
      {step.sent === null ? <AskPhone step={step} to={to} /> : <AskCode step={step} to={to} />}
    </div>
  );
}

interface StepProps {
  step: Step;
  to: (step: Partial<Step>) => void;
}

function AskPhone({ step, to }: StepProps) {
  const { t, language, market, markets, setMarket } = useShop();
  const { pathname, search } = useAddress();
  const client = useClient();
  const { user } = useSession();
  const [typed, setTyped] = useState(step.phone);
  const prefix = markets.find((one) => one.market === market)?.phone_prefix ?? "+";
  const digits = typed.replace(/[^\d+]/g, "").replace(/^00/, "+");
  const other = markets.find((one) => one.market !== market && digits.startsWith(one.phone_prefix));
  const submit = async (form: FormData) => {
    const phone = text(form, "phone");
    to({ phone });
    to({ sent: await client.auth.sendCode(phone), sentAt: Date.now() });
  };
  return (
    <Form className="" submit={submit}>
      <p>{t.signInText}</p>
      <Field
        label={t.phone}
        name="phone"
        type="tel"
        autoComplete="tel"
        defaultValue={step.phone || (user?.phone ?? "")}
        placeholder={`${prefix} …`}
        onChange={(event) => setTyped(event.target.value)}
      />
      {other && (
        <div className="hint" role="status">
          {t.otherMarket(countryOf(language, other))}{" "}
          <button
            type="button"
            className="link"
            onClick={() => {
              to({ phone: typed });
              setMarket(other.market, pathname + search);
            }}
          >
            {t.switchMarket(countryOf(language, other))}
          </button>
        </div>
      )}
      <Send label={t.sendCode} />
      <FormProblem />
    </Form>
  );
}

function AskCode({ step, to }: StepProps) {
  const { t } = useShop();
  const client = useClient();
  const { busy, error, run } = useAction();
  const { sent, moved } = step;
  const wait = useSecondsUntil(step.sentAt + (sent?.resend_after_seconds ?? 0) * 1000);
  if (sent === null) return null;
  const submit = async (form: FormData) => {
    const typed = code(form, "verification_code");
    if (moved === "stopping") {
      await client.auth.stopPhoneChange(sent.phone_number, typed);
      return to({ moved: "stopped", sent: null });
    }
    try {
      await client.auth.verifyCode(sent.phone_number, typed);
      to({ phone: "", sent: null, moved: null });
    } catch (error) {
      // An account was moved away from this phone, and its owner may be the one who stands here.
      if (isEvercartError(error, "phone_moved") && error.facts.until) to({ moved: "can_stop" });
      throw error;
    }
  };
  const send = (purpose: "sign_in" | "stop_phone_change") =>
    run(async () => {
      const again = await client.auth.sendCode(sent.phone_number, purpose);
      const stopping = purpose === "stop_phone_change" ? "stopping" : moved;
      to({ sent: again, sentAt: Date.now(), moved: stopping });
    });
  return (
    <Form className="" submit={submit}>
      <p role="status">{t.codeSent(sent.phone_number)}</p>
      {sent.demo_code && <p className="hint">{t.demoCode(sent.demo_code)}</p>}
      <CodeField label={t.code} name="verification_code" autoFocus />
      <Send label={moved === "stopping" ? t.stopPhoneChange : t.signIn} />
      {moved === "can_stop" && (
        <button
          type="button"
          className="button wide"
          aria-disabled={busy}
          onClick={() => void send("stop_phone_change")}
        >
          {t.stopPhoneChange}
        </button>
      )}
      <p className="pair">
        {wait > 0 ? (
          <span className="soft">{t.resendIn(wait)}</span>
        ) : (
          <button
            type="button"
            className="link"
            aria-disabled={busy}
            onClick={() => void send(moved === "stopping" ? "stop_phone_change" : "sign_in")}
          >
            {t.resend}
          </button>
        )}
        <button type="button" className="link" onClick={() => to({ sent: null, moved: null })}>
          {t.otherPhone}
        </button>
      </p>
      <FormProblem />
      <Problem text={error} />
    </Form>
  );
}

function Send({ label }: { label: string }) {
  return (
    <button className="button wide" aria-disabled={useSending()}>
      {label}
    </button>
  );
}

/** How many seconds are left until then; counts down. */
function useSecondsUntil(moment: number): number {
  const [now, setNow] = useState(Date.now);
  const left = Math.ceil((moment - now) / 1000);
  const isOver = left <= 0;
  useEffect(() => {
    if (isOver) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOver, moment]);
  return Math.max(0, left);
}
