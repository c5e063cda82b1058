// A message that is shown for a while, with a button that undoes what it tells of.

import { useEffect, useState } from "react";
import { focusHome } from "./focus";
import { useShop } from "./shop";
import styles from "./toast.module.css";

/** How long something is shown that needs no answer. */
const SHOWN_MS = 8_000;
/** How long something can be taken back. */
const UNDO_MS = 20_000;

/** Shows it. The focus goes to the element with id `home` when what has it goes away. */
export function Toast({ home, inDialog = false }: { home: string; inDialog?: boolean }) {
  const { t, said, say, refusalOf } = useShop();
  const { text, undo } = said;
  // Nothing goes away under a pointer or the focus.
  const [isHeld, hold] = useState(false);
  useEffect(() => {
    if (text === "" || isHeld) return;
    const timer = setTimeout(() => say(""), undo ? UNDO_MS : SHOWN_MS);
    return () => clearTimeout(timer);
  }, [text, undo, isHeld, say]);
  const leave = () => {
    focusHome(home);
    hold(false);
    say("");
  };
  const takeBack = () => {
    leave();
    undo?.().catch((caught: unknown) => say(refusalOf(caught).text));
  };
  return (
    <div role="status" className={inDialog ? styles.inDialog : styles.over} data-toasts="">
      {text !== "" && (
        <div
          className={styles.toast}
          onPointerEnter={() => hold(true)}
          onPointerLeave={() => hold(false)}
          onFocus={() => hold(true)}
          onBlur={() => hold(false)}
        >
          <p>{text}</p>
          {undo && (
            <button type="button" className={styles.undo} onClick={takeBack}>
              {t.undo}
            </button>
          )}
          <button type="button" className={styles.close} onClick={leave} aria-label={t.dismiss}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}
