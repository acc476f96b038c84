// The boxes that were drawn in this page, and the way back.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Box, Boxes } from "../model/boxes.ts";

const history = signal<readonly Boxes[]>([new Map()]);

export const boxes: ReadonlySignal<Boxes> = computed(() => history.value[history.value.length - 1]);

export const canUndo: ReadonlySignal<boolean> = computed(() => history.value.length > 1);

export function setBoxes(probe: string, own: readonly Box[]): void {
  const next = new Map(boxes.peek());
  if (own.length === 0) next.delete(probe);
  else next.set(probe, own);
  history.value = [...history.peek(), next];
}

export function undoBoxes(): void {
  if (canUndo.peek()) history.value = history.peek().slice(0, -1);
}
