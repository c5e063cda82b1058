// Forms: what a field's label, its draft and its refusal have to do with each other. What is refused is
// said beside the field that is meant, which gets the focus.

import {
  createContext,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
  type FormEvent,
  type InputHTMLAttributes,
  type ReactNode,
} from "react";
import { useAction } from "./action";
import type { Draft } from "./draft";
import { Problem } from "./pieces";
import { useShop } from "./shop";
import type { Texts } from "./texts";

interface State {
  readonly busy: boolean;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly draft: Draft | undefined;
}

const Context = createContext<State>({ busy: false, text: "", fields: {}, draft: undefined });

/** A form that does one thing and says how it went. It has to have a `FormProblem` in it. */
export function Form(props: {
  className: string;
  submit: (form: FormData) => Promise<unknown>;
  draft?: Draft | undefined;
  children: ReactNode;
}) {
  const { t } = useShop();
  const { busy, refusal, run } = useAction();
  const [missing, setMissing] = useState<Readonly<Record<string, string>>>({});
  const form = useRef<HTMLFormElement>(null);
  const fields = Object.keys(missing).length > 0 ? missing : refusal.fields;
  useEffect(() => {
    const named = form.current?.querySelectorAll<HTMLInputElement>("input[aria-invalid]");
    named?.[0]?.focus();
  }, [fields]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const wrong = wrongIn(event.currentTarget, t);
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) return;
    const filled = new FormData(event.currentTarget);
    void run(() => props.submit(filled));
  };
  return (
    <Context value={{ busy, text: refusal.text, fields, draft: props.draft }}>
      <form
        ref={form}
        className={props.className}
        noValidate // The browser would say it in its own language.
        onSubmit={submit}
        onInput={(event) => props.draft?.keep(event.currentTarget)}
      >
        {props.children}
      </form>
    </Context>
  );
}

/** What can be seen to be wrong before anything is sent. */
function wrongIn(form: HTMLFormElement, t: Texts): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement) || field.validity.valid) continue;
    wrong[field.name] = field.validity.valueMissing
      ? t.required
      : field.type === "email"
        ? t.emailInvalid
        : t.fieldWrong;
  }
  return wrong;
}

export function Field(
  props: {
    label: string;
    name: string;
    optional?: boolean;
  } & InputHTMLAttributes<HTMLInputElement>,
) {
  const { label, optional, name, ...input } = props;
  const { t } = useShop();
  const { fields, draft } = useContext(Context);
  const id = useId();
  // Said once; while it is mended, it is in the way.
  const [mended, setMended] = useState<typeof fields>();
  const wrong = mended === fields ? undefined : fields[name];
  return (
    <div className="field">
      <label>
        <span>
          {label} {optional && <small>({t.optional})</small>}
        </span>
        <input
          required={!optional}
          name={name}
          {...input}
          defaultValue={draft?.typed[name] ?? input.defaultValue}
          aria-invalid={wrong === undefined ? undefined : true}
          aria-describedby={wrong === undefined ? undefined : id}
          onInput={() => setMended(fields)}
        />
      </label>
      {wrong !== undefined && (
        <p id={id} className="wrong">
          {wrong}
        </p>
      )}
    </div>
  );
}

/** The field of a code, as it comes by message: with spaces or without. */
export function CodeField(props: { label: string; name: string; autoFocus?: boolean }) {
  return <Field {...props} inputMode="numeric" autoComplete="one-time-code" />;
}

/** One of several ways. */
export function Way(props: { name: string; value: string; label: string; first: boolean }) {
  const { draft } = useContext(Context);
  const kept = draft?.typed[props.name];
  return (
    <label>
      <input
        type="radio"
        name={props.name}
        value={props.value}
        defaultChecked={kept === undefined ? props.first : kept === props.value}
      />
      <span>{props.label}</span>
    </label>
  );
}

/** True while the form is being sent. */
export function useSending(): boolean {
  return useContext(Context).busy;
}

/** What went wrong with the form, said at once. */
export function FormProblem() {
  return <Problem text={useContext(Context).text} />;
}

/** A form's field as text. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** A code: only its digits, however it was typed or pasted. */
export function code(form: FormData, name: string): string {
  return text(form, name).replace(/\D/g, "");
}
