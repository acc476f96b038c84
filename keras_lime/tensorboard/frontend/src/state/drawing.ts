// How superpixels are drawn, as the controls say. The scale is each probe's own and is added where it is known.
import { computed, type ReadonlySignal } from "@preact/signals";
import { probeOf } from "../data/store.ts";
import { type Drawing, OUTLINED } from "../draw/overlay.ts";
import type { OverallScale } from "../model/scaleFor.ts";
import { currentManifest, currentRun, view } from "./selection.ts";

export const drawing: ReadonlySignal<Drawing> = computed(() => {
  const { sign, features, minWeight, opacity, palette, borders, hideRest, ground, style } = view;
  return {
    positive: sign !== "negative",
    negative: sign !== "positive",
    numFeatures: features,
    minWeight,
    opacity,
    scale: null,
    palette,
    boundaries: borders,
    ground,
    outlined: OUTLINED,
    hideRest,
    style,
  };
});

/** The largest weights of all probes of the run that are here. */
export const overallScale: ReadonlySignal<OverallScale> = computed(() => {
  const run = currentRun.value;
  const series = (currentManifest.value?.probes ?? []).flatMap(({ id }) => {
    const numbers = run === null ? null : probeOf(run, id).numbers.value;
    return numbers === null ? [] : [numbers];
  });
  return {
    probability: Math.max(0, ...series.map(({ scale }) => scale)),
    logOdds: Math.max(0, ...series.map(({ logOddsScale, coefLogit }) => (coefLogit === null ? 0 : logOddsScale))),
  };
});
