// Signing in by phone and code.

import { isEvercartError, type CodeSent } from "evercart";
import { useClient, useSession } from "evercart/react";
import { useState, type FormEvent } from "react";
import { Field, Problem, text } from "./pieces";
import { go, useAction, useAddress, useShop } from "./shop";

export function SignIn() {
  const { t, market, markets } = useShop();
  const client = useClient();
  const session = useSession();
  const address = useAddress();
  const [sent, setSent] = useState<CodeSent | null>(null);
  // An account was moved away from this phone, and its owner may be the one who stands here.
  const [moved, setMoved] = useState<"can_stop" | "stopping" | "stopped" | null>(null);
  const { busy, error, run } = useAction();
  const prefix = markets.find((one) => one.market === market)?.phone_prefix ?? "+";
  const then = address.searchParams.get("then") ?? "/";
  const send = (phone: string) =>
    run(async () => {
      const purpose = moved === "stopping" ? "stop_phone_change" : "sign_in";
      setSent(await client.auth.sendCode(phone, purpose));
    });
  const begin = async (phone: string, code: string) => {
    try {
      await client.auth.verifyCode(phone, code);
    } catch (error) {
      if (isEvercartError(error, "phone_moved") && error.facts.until) setMoved("can_stop");
      throw error;
    }
    go(then.startsWith("/") ? then : "/");
  };
  const askToStop = (phone: string) =>
    run(async () => {
      setSent(await client.auth.sendCode(phone, "stop_phone_change"));
      setMoved("stopping");
    });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    if (sent === null) return void send(text(form, "phone"));
    void run(async () => {
      const code = text(form, "code");
      if (moved !== "stopping") return begin(sent.phone_number, code);
      await client.auth.stopPhoneChange(sent.phone_number, code);
      setMoved("stopped");
      setSent(null);
    });
  };
  const restart = () => {
    setSent(null);
    setMoved(null);
  };
  return (
    <form className="sheet narrow" onSubmit={submit}>
      <h1>{t.signIn}</h1>
      {moved === "stopped" && <p role="status">{t.phoneMoveStopped}</p>}
      {session.status === "expired" && <p className="hint">{t.expired}</p>}
      {sent === null ? (
        <>
          <p>{t.signInText}</p>
          <Field
            key="phone"
            label={t.phone}
            name="phone"
            type="tel"
            autoComplete="tel"
            defaultValue={session.user?.phone ?? ""}
            placeholder={`${prefix} …`}
          />
          <button className="button wide" disabled={busy}>
            {t.sendCode}
          </button>
        </>
      ) : (
        <>
          <p role="status">{t.codeSent(sent.phone_number)}</p>
          {sent.demo_code && <p className="hint">{t.demoCode(sent.demo_code)}</p>}
          <Field
            key="code"
            label={t.code}
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            pattern="[0-9 ]{6,}"
            autoFocus
          />
          <button className="button wide" disabled={busy}>
            {moved === "stopping" ? t.stopPhoneChange : t.signIn}
          </button>
          {moved === "can_stop" && (
            <button
              type="button"
              className="button wide"
              disabled={busy}
              onClick={() => void askToStop(sent.phone_number)}
            >
              {t.stopPhoneChange}
            </button>
          )}
          <p className="pair">
            <button
              type="button"
              className="link"
              disabled={busy}
              onClick={() => void send(sent.phone_number)}
            >
              {t.resend}
            </button>
            <button type="button" className="link" onClick={restart}>
              {t.otherPhone}
            </button>
          </p>
        </>
      )}
      <Problem text={error} />
    </form>
  );
}
