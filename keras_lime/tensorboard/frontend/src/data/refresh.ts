// Asks for the manifest again and again while the page is seen, so that a running training shows up.
import { manifest, retryFailed, URGENCY } from "./store.ts";

const PAUSE_MS = 5000;
/** A large log directory takes the server long: then ask less often, a tenth of the time at most. */
const SHARE = 10;

let asked = 0;

/** TensorBoard keeps the page of a hidden tab alive, with no height. */
function isSeen(): boolean {
  return document.visibilityState === "visible" && window.innerHeight > 0;
}

export function refresh(): Promise<void> {
  return manifest.ensure(String(++asked), URGENCY.chosen);
}

/** True at 1, 2, 4, 8, …: what failed because it was half written succeeds soon, what is damaged is left in peace. */
function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

export function keepFresh(): void {
  let timer = 0;
  let polls = 0;
  const tick = async (): Promise<void> => {
    let pause = PAUSE_MS;
    if (isSeen()) {
      const began = performance.now();
      await refresh();
      if (isPowerOfTwo(++polls) && !retryFailed()) polls = 0;
      pause = Math.max(PAUSE_MS, SHARE * (performance.now() - began));
    }
    timer = window.setTimeout(tick, pause);
  };
  let seen = isSeen();
  const wake = (): void => {
    const now = isSeen();
    if (now && !seen) {
      window.clearTimeout(timer);
      void tick();
    }
    seen = now;
  };
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("resize", wake);
  void tick();
}
