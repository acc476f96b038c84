// How superpixels are drawn, as the controls say. The scale is each probe's own and is added where it is known.
import { computed, type ReadonlySignal } from "@preact/signals";
import type { Drawing } from "../draw/overlay.ts";
import { view } from "./selection.ts";

export const drawing: ReadonlySignal<Drawing> = computed(() => {
  const { sign, features, minWeight, opacity, palette, borders, hideRest, style } = view;
  return {
    positive: sign !== "negative",
    negative: sign !== "positive",
    numFeatures: features,
    minWeight,
    opacity,
    scale: null,
    palette,
    boundaries: borders,
    hideRest,
    style,
  };
});
