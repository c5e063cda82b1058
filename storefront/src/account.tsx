// The customer's own page: details, phone, addresses, data, and the way out.

import { isEvercartError, type Profile } from "evercart";
import { useClient, useSession } from "evercart/react";
import { useState, type ReactNode } from "react";
import { useAction } from "./action";
import { go, Link } from "./address";
import { useDraft, type Draft } from "./draft";
import { code, CodeField, Field, Form, FormProblem, text, useSending } from "./form";
import { passFocus } from "./focus";
import { useLoaded } from "./loaded";
import { Problem, Skeletons, Trouble } from "./pieces";
import { useShop } from "./shop";
import { SignIn, SignInOver } from "./sign-in";
import { useTitle } from "./title";

export function Account() {
  const { t, say } = useShop();
  const client = useClient();
  const { signedIn, user } = useSession();
  const profile = useLoaded(
    (signal) => client.auth.profile(signal),
    [user?.id, user?.phone],
    signedIn,
  );
  useTitle(profile.value && t.account);
  const { busy, run } = useAction();
  if (!user || (!signedIn && !profile.value)) return <SignIn />;
  if (profile.error !== undefined) return <Trouble error={profile.error} again={profile.again} />;
  if (!profile.value) return <Skeletons count={2} />;
  const signOut = () =>
    run(async () => {
      const { server } = await client.auth.logout();
      say(server === "done" ? t.signedOut : t.signedOutHere);
      go("/");
    });
  return (
    <div className="account">
      <SignInOver />
      <div className="head">
        <h1>{profile.value.name || t.account}</h1>
        <p>
          <Link to="/orders" className="button quiet">
            {t.orders}
          </Link>
          <button
            type="button"
            className="button quiet"
            aria-disabled={busy}
            onClick={() => void signOut()}
          >
            {t.signOut}
          </button>
        </p>
      </div>
      <Details profile={profile.value} />
      <Phone profile={profile.value} />
      <Addresses />
      <Data phone={profile.value.phone_number} />
    </div>
  );
}

/** A part of the account with a form that does one thing. */
function Part(props: {
  title: string;
  send: string;
  submit: (form: FormData) => Promise<unknown>;
  /** Of the button: `danger` for what cannot be undone, `quiet` for the way to it. */
  look?: "danger" | "quiet";
  draft?: Draft;
  /** Of its heading. */
  id?: string;
  children: ReactNode;
}) {
  return (
    <Form className="sheet" submit={props.submit} draft={props.draft}>
      <h2 id={props.id}>{props.title}</h2>
      {props.children}
      <Send label={props.send} look={props.look ?? ""} />
      <FormProblem />
    </Form>
  );
}

function Send({ label, look }: { label: string; look: string }) {
  return (
    <button className={`button ${look}`} aria-disabled={useSending()}>
      {label}
    </button>
  );
}

function Details({ profile }: { profile: Profile }) {
  const { t, say } = useShop();
  const client = useClient();
  const draft = useDraft("details");
  const save = async (form: FormData) => {
    await client.auth.updateProfile({
      full_name: text(form, "full_name") || null,
      email: text(form, "email") || null,
    });
    draft.drop();
    say(t.saved);
  };
  return (
    <Part title={t.yourDetails} send={t.save} submit={save} draft={draft}>
      <Field
        label={t.name}
        name="full_name"
        autoComplete="name"
        defaultValue={profile.full_name ?? ""}
        optional
      />
      <Field
        label={t.email}
        name="email"
        type="email"
        autoComplete="email"
        defaultValue={profile.email ?? ""}
        optional
      />
    </Part>
  );
}

/** True if the server wants a code to the present phone. */
function needsCode(error: unknown): boolean {
  return (
    isEvercartError(error, "validation_failed") &&
    (error.errors?.some(({ field }) => field === "verification_code") ?? false)
  );
}

function Phone({ profile }: { profile: Profile }) {
  const { t, say } = useShop();
  const client = useClient();
  const [step, setStep] = useState<"ask" | "prove" | "confirm">("ask");
  const [phone, setPhone] = useState("");
  const [demoCode, setDemoCode] = useState<string | null>(null);
  const submit = async (form: FormData) => {
    if (step === "confirm") {
      await client.auth.confirmPhone(phone, code(form, "verification_code"));
      setStep("ask");
      setDemoCode(null);
      return say(t.phoneChanged);
    }
    const wanted = step === "ask" ? text(form, "new_phone") : phone;
    setPhone(wanted);
    try {
      const sent = await client.auth.changePhone(
        wanted,
        step === "prove" ? code(form, "verification_code") : undefined,
      );
      setPhone(sent.phone_number);
      setDemoCode(sent.demo_code ?? null);
      setStep("confirm");
    } catch (error) {
      if (step === "prove" || !needsCode(error)) throw error;
      // The sign-in is too long ago: the present number has to say yes, too.
      const sent = await client.auth.sendCode(profile.phone_number);
      setDemoCode(sent.demo_code ?? null);
      setStep("prove");
    }
  };
  return (
    <Part title={t.changePhone} send={step === "ask" ? t.sendCode : t.save} submit={submit}>
      <p>{profile.formatted_phone}</p>
      {step === "ask" && (
        <Field key="phone" label={t.newPhone} name="new_phone" type="tel" autoComplete="off" />
      )}
      {step === "prove" && <p role="status">{t.oldCodeNeeded}</p>}
      {step === "confirm" && <p role="status">{t.codeSent(phone)}</p>}
      {demoCode && <p className="hint">{t.demoCode(demoCode)}</p>}
      {step === "prove" && <CodeField key="old" label={t.oldCode} name="verification_code" />}
      {step === "confirm" && <CodeField key="code" label={t.code} name="verification_code" />}
    </Part>
  );
}

function Addresses() {
  const { t } = useShop();
  const client = useClient();
  const { value, again } = useLoaded((signal) => client.addresses.list(signal), []);
  const { error, run } = useAction();
  const [turn, setTurn] = useState(0);
  const draft = useDraft("address");
  const add = async (form: FormData) => {
    await client.addresses.add({
      title: text(form, "title"),
      full_address: text(form, "full_address"),
      city: text(form, "city") || null,
    });
    draft.drop();
    setTurn(turn + 1);
    again();
  };
  const change = (action: () => Promise<unknown>) => void run(action).then(again);
  return (
    <Part
      key={turn}
      id="addresses"
      title={t.addresses}
      send={t.addAddress}
      submit={add}
      draft={draft}
    >
      <ul className="addresses">
        {value?.map((address) => (
          <li key={address.id}>
            <span>
              <b>{address.title}</b>{" "}
              {[address.full_address, address.city].filter(Boolean).join(", ")}
            </span>
            {address.is_default ? (
              <span className="status">{t.isDefault}</span>
            ) : (
              <button
                type="button"
                className="link"
                onClick={() =>
                  change(() => client.addresses.update(address.id, { is_default: true }))
                }
                aria-label={`${t.makeDefault}: ${address.title}`}
              >
                {t.makeDefault}
              </button>
            )}
            <button
              type="button"
              className="link"
              data-remove=""
              onClick={(event) => {
                passFocus(event.currentTarget, "[data-remove]", "addresses");
                change(() => client.addresses.remove(address.id));
              }}
              aria-label={`${t.remove}: ${address.title}`}
            >
              {t.remove}
            </button>
          </li>
        ))}
      </ul>
      <Problem text={error} />
      <Field label={t.addressTitle} name="title" />
      <Field label={t.address} name="full_address" autoComplete="street-address" />
      <Field label={t.city} name="city" autoComplete="address-level2" optional />
    </Part>
  );
}

function download(data: unknown) {
  const content = JSON.stringify(data, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = "evercart-data.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

function Data({ phone }: { phone: string }) {
  const { t, say } = useShop();
  const client = useClient();
  const [demoCode, setDemoCode] = useState<string | null>(null);
  const [isAsked, setAsked] = useState(false);
  const [hasOpenOrders, setOpenOrders] = useState(false);
  const [mustSignIn, setMustSignIn] = useState(false);
  const { busy, error, run } = useAction();
  const save = async () => {
    try {
      download(await client.auth.exportData());
    } catch (caught) {
      if (!isEvercartError(caught, "sign_in_not_fresh")) throw caught;
      setDemoCode((await client.auth.sendCode(phone)).demo_code ?? null);
      setMustSignIn(true);
    }
  };
  const signInAndSave = async (form: FormData) => {
    await client.auth.verifyCode(phone, code(form, "verification_code"));
    setMustSignIn(false);
    setDemoCode(null);
    download(await client.auth.exportData());
  };
  const erase = async (form: FormData) => {
    if (!isAsked) {
      setDemoCode((await client.auth.sendCode(phone)).demo_code ?? null);
      return setAsked(true);
    }
    try {
      const evenOpenOrders = form.get("evenOpenOrders") === "on";
      await client.auth.eraseAccount(code(form, "verification_code"), { evenOpenOrders });
    } catch (caught) {
      if (isEvercartError(caught, "open_orders")) setOpenOrders(true);
      throw caught;
    }
    say(t.erased);
    go("/");
  };
  return (
    <>
      <section className="sheet">
        <h2>{t.yourData}</h2>
        <button
          type="button"
          className="button quiet"
          aria-disabled={busy}
          onClick={() => void run(save)}
        >
          {t.export}
        </button>
        <Problem text={error} />
      </section>
      {mustSignIn && (
        <Part title={t.export} send={t.export} submit={signInAndSave} look="quiet">
          <p>{t.exportCode}</p>
          {demoCode && <p className="hint">{t.demoCode(demoCode)}</p>}
          <CodeField label={t.code} name="verification_code" />
        </Part>
      )}
      <Part
        title={t.erase}
        send={isAsked ? t.eraseNow : t.eraseSend}
        submit={erase}
        look={isAsked ? "danger" : "quiet"}
      >
        <p>{t.eraseText}</p>
        {demoCode && <p className="hint">{t.demoCode(demoCode)}</p>}
        {isAsked && <CodeField label={t.code} name="verification_code" />}
        {hasOpenOrders && (
          <label>
            <input type="checkbox" name="evenOpenOrders" /> {t.eraseEven}
          </label>
        )}
      </Part>
    </>
  );
}
