// Whether the pictures show the original in place of the explanation: while a key is held, or in turn with it.
import { signal } from "@preact/signals";
import { ownsKeys } from "./keys.ts";

const BLINK_MS = 700;

/** True while the originals are shown everywhere. */
export const showsOriginals = signal(false);

export const blinks = signal(false);

let timer = 0;

/** Shows original and explanation in turn, or stops. */
export function toggleBlinking(): void {
  blinks.value = !blinks.value;
  window.clearInterval(timer);
  showsOriginals.value = blinks.value;
  if (blinks.value) timer = window.setInterval(() => (showsOriginals.value = !showsOriginals.value), BLINK_MS);
}

export function stopBlinking(): void {
  if (blinks.value) toggleBlinking();
}

/** Whether a divider in the detail shows the original left of it and the explanation right of it. */
export const divides = signal(false);

/** Where the divider stands, percent from the left. */
export const dividerAt = signal(50);

export function toggleDivider(): void {
  stopBlinking();
  divides.value = !divides.value;
}

/** The key O shows the originals as long as it is held. */
export function followOriginalKey(): void {
  const hold = (event: KeyboardEvent, down: boolean): void => {
    if (event.key.toLowerCase() !== "o" || event.altKey || event.ctrlKey || event.metaKey || ownsKeys(event.target)) return;
    stopBlinking();
    showsOriginals.value = down;
  };
  window.addEventListener("keydown", (event) => hold(event, true));
  window.addEventListener("keyup", (event) => hold(event, false));
  window.addEventListener("blur", () => {
    if (!blinks.value) showsOriginals.value = false;
  });
}
