// The view in the browser's address. The only module that touches a location.
//
// The page lives in TensorBoard's iframe, whose own address nobody sees: the view goes behind the tab's name in the hash
// of TensorBoard's window. `replaceState` and `pushState` change it without an event, so TensorBoard's router stays calm. While
// another tab is shown the hash is not ours and is left alone. Opened on its own, the page uses its own hash.
import { formatView, parseView, type View, withView } from "../model/view.ts";

const TAB = "keras_lime";

/** The view in the browser's history, beside what TensorBoard keeps there. */
const MARK = "keras_lime";

/** Our part of the address as it was last read or written here. */
let known = "";

/** TensorBoard's window, or this one where there is none or it may not be touched. */
function host(): Window {
  try {
    // Reading the hash throws for a foreign origin.
    if (window.parent !== window && typeof window.parent.location.hash === "string") return window.parent;
  } catch {
    return window;
  }
  return window;
}

function isOurs(target: Window, hash = target.location.hash): boolean {
  return target === window || hash.replace(/^#/, "").split("&")[0] === TAB;
}

export function readAddress(): View {
  const target = host();
  return parseView(isOurs(target) ? target.location.hash : "");
}

/** `asStep`: Back returns to what was shown before. */
export function writeAddress(view: View, asStep = false): void {
  const target = host();
  if (!isOurs(target)) return;
  known = formatView(view);
  const hash = withView(target.location.hash, view);
  if (`#${hash}` === target.location.hash || (hash === "" && target.location.hash === "")) return;
  const address = `${target.location.pathname}${target.location.search}#${hash}`;
  const state = { ...(target.history.state as object | null), [MARK]: known };
  try {
    if (asStep) target.history.pushState(state, "", address);
    else target.history.replaceState(state, "", address);
  } catch {
    // Browsers limit how often the address may change; the next change writes it.
  }
}

/** A link that shows a colleague this view. */
export function linkTo(view: View): string {
  const target = host();
  const hash = withView(isOurs(target) ? target.location.hash : `#${TAB}`, view);
  return `${target.location.href.split("#")[0]}#${hash}`;
}

/**
 * Calls back when the user enters another address of this tab; returns how to stop.
 *
 * TensorBoard writes the hash too: on the way back from another tab it puts there what our part was on the way out, or
 * none. That is no wish of the user, and the view is written again instead.
 */
export function watchAddress(changed: (view: View) => void, current: () => View): () => void {
  const target = host();
  let away = false;
  const listener = (event: HashChangeEvent): void => {
    // The event's own address: the window's may have been written over in the meantime.
    const { hash } = new URL(event.newURL);
    if (!isOurs(target, hash)) {
      away = true;
      return;
    }
    const view = parseView(hash);
    const said = formatView(view);
    const stale = said === "" || (away && said === known);
    away = false;
    if (stale) {
      writeAddress(current());
    } else {
      known = said;
      changed(view);
    }
  };
  const travelled = (event: PopStateEvent): void => {
    const said = (event.state as Readonly<Record<string, unknown>> | null)?.[MARK];
    if (typeof said !== "string" || !isOurs(target)) return;
    known = said;
    changed(parseView(said));
  };
  target.addEventListener("hashchange", listener);
  target.addEventListener("popstate", travelled);
  return () => {
    target.removeEventListener("hashchange", listener);
    target.removeEventListener("popstate", travelled);
  };
}
