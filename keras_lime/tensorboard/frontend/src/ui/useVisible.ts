// Whether an element is on screen, or nearly: only such tiles are fetched and drawn.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

const NEARLY = "150px";

const watchers = new WeakMap<Element, (seen: boolean) => void>();
let observer: IntersectionObserver | null = null;

function shared(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) watchers.get(entry.target)?.(entry.isIntersecting);
    },
    { rootMargin: NEARLY },
  );
  return observer;
}

export function useVisible(element: RefObject<Element>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    watchers.set(watched, setSeen);
    shared().observe(watched);
    return () => shared().unobserve(watched);
  }, [element]);
  return seen;
}
