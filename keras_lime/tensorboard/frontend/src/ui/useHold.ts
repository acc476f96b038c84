// Press and hold on a picture: true while it lasts. The click that ends it opens nothing.
import { useEffect, useRef, useState } from "preact/hooks";

/** So long a press is no click. */
const HOLD_MS = 250;

export function useHold() {
  const [held, setHeld] = useState(false);
  const timer = useRef(0);
  const was = useRef(false);
  const release = (): void => {
    window.clearTimeout(timer.current);
    setHeld(false);
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return {
    held,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return;
        was.current = false;
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => {
          was.current = true;
          setHeld(true);
        }, HOLD_MS);
      },
      onPointerUp: release,
      onPointerLeave: release,
      onPointerCancel: release,
      onContextMenu: (event: MouseEvent) => {
        // A long touch would open the browser's menu.
        if (was.current) event.preventDefault();
      },
      onClickCapture: (event: MouseEvent) => {
        if (!was.current) return;
        was.current = false;
        event.preventDefault();
        event.stopPropagation();
      },
    },
  };
}
