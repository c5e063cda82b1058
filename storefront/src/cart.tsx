// The cart's drawer over the page. The browser's own dialog keeps the focus inside and gives it back.

import { useEffect, useRef } from "react";
import { useAddress } from "./address";
import { CartContents } from "./later";
import { useShop } from "./shop";
import { Toast } from "./toast";

export function CartDrawer({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useShop();
  const dialog = useRef<HTMLDialogElement>(null);
  const { href } = useAddress();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  useEffect(() => {
    dialog.current?.close();
  }, [href]);
  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-labelledby="cart-title"
      onClose={close}
      // A press beside the drawer closes it; the keyboard has Escape and the button.
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="inside">
        <div className="head">
          <h2 id="cart-title">{t.cart}</h2>
          <button type="button" className="icon" onClick={close} aria-label={t.close}>
            ×
          </button>
        </div>
        {open && (
          <CartContents home="cart-title" isPage={false}>
            <Toast home="cart-title" inDialog />
          </CartContents>
        )}
      </div>
    </dialog>
  );
}
