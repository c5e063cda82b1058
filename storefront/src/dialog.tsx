// Something over the page, which is reached again when it is closed. The browser keeps the focus inside
// and gives it back.

import { useEffect, useRef, type KeyboardEvent, type ReactNode } from "react";
import styles from "./dialog.module.css";
import { useShop } from "./shop";

/** Open for as long as it is there. */
export function Dialog(props: {
  title: string;
  close: () => void;
  /** As large as the window. */
  isLarge?: boolean;
  onKeyDown?: (event: KeyboardEvent) => void;
  children: ReactNode;
}) {
  const { t } = useShop();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      className={`${styles.dialog} ${props.isLarge ? styles.large : ""}`}
      aria-label={props.title}
      onClose={props.close}
      onClick={(event) => event.target === dialog.current && close()}
      onKeyDown={props.onKeyDown}
    >
      <div className={styles.inside}>
        <div className="head">
          <h2>{props.title}</h2>
          <button type="button" className="icon" onClick={close} aria-label={t.close}>
            ×
          </button>
        </div>
        {props.children}
      </div>
    </dialog>
  );
}
