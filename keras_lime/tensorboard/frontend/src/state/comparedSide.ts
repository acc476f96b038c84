// The right side of a comparison; the left is the run and epoch shown everywhere else.
import { computed, type ReadonlySignal } from "@preact/signals";
import { manifestOf, readableRuns, summaryOf } from "../data/store.ts";
import type { ProbeInfo } from "../data/types.ts";
import { rowAt } from "../model/snapshot.ts";
import { otherSide, sharedProbes, type Side } from "../model/comparison.ts";
import { currentRun, currentStep, steps, view } from "./selection.ts";
import { tiles } from "./shownTiles.ts";

const NO_STEPS: readonly number[] = [];

export const comparedSide: ReadonlySignal<Side | null> = computed(() => {
  const run = currentRun.value;
  if (run === null) return null;
  return otherSide(view, { run, epoch: currentStep.value }, readableRuns.value, steps.value[0] ?? null);
});

export const rightSteps: ReadonlySignal<readonly number[]> = computed(() => {
  const side = comparedSide.value;
  return side === null ? NO_STEPS : (summaryOf(side.run).value.value?.steps ?? NO_STEPS);
});

/** The right side's epoch; one that its run has not reached falls back to the last before it. */
export const comparedStep: ReadonlySignal<number | null> = computed(
  () => rightSteps.value[rowAt(rightSteps.value, comparedSide.value?.epoch ?? null)] ?? null,
);

export const comparedProbes: ReadonlySignal<readonly ProbeInfo[]> = computed(() => {
  const right = manifestOf(comparedSide.value?.run ?? null);
  const left = tiles.value.map(({ probe }) => probe);
  return sharedProbes(left, right?.probes ?? []);
});
