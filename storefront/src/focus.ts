// Where the focus goes when what has it goes away.

/**
 * Moves the focus from a list's item that is about to be removed to what matches `target` in the item
 * after it, else before it; with none left, to the element with id `home`.
 */
export function passFocus(from: Element, target: string, home: string): void {
  const item = from.closest("li");
  const next = item?.nextElementSibling ?? item?.previousElementSibling;
  const found = next?.querySelector<HTMLElement>(target);
  if (found) found.focus();
  else focusHome(home);
}

/** Focuses what cannot have the focus otherwise, for as long as it has it. */
export function focusHome(id: string): void {
  const home = document.getElementById(id);
  if (home === null) return;
  if (!home.hasAttribute("tabindex")) {
    home.tabIndex = -1;
    home.addEventListener("blur", () => home.removeAttribute("tabindex"), { once: true });
  }
  home.focus();
}
