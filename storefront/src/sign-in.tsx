// Signing in by phone and code.

import type { CodeSent } from "evercart";
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
  const { busy, error, run } = useAction();
  const prefix = markets.find((one) => one.market === market)?.phone_prefix ?? "+";
  const then = address.searchParams.get("then") ?? "/";
  const send = (phone: string) => run(async () => setSent(await client.auth.sendCode(phone)));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    if (sent === null) return void send(text(form, "phone"));
    void run(async () => {
      await client.auth.verifyCode(sent.phone_number, text(form, "code"));
      go(then.startsWith("/") ? then : "/");
    });
  };
  return (
    <form className="sheet narrow" onSubmit={submit}>
      <h1>{t.signIn}</h1>
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
            {t.signIn}
          </button>
          <p className="pair">
            <button
              type="button"
              className="link"
              disabled={busy}
              onClick={() => void send(sent.phone_number)}
            >
              {t.resend}
            </button>
            <button type="button" className="link" onClick={() => setSent(null)}>
              {t.otherPhone}
            </button>
          </p>
        </>
      )}
      <Problem text={error} />
    </form>
  );
}
