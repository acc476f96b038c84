// The view as a signal, what follows from it, and the ways to change it. Keeps the address in step.
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { growthOf, manifest, manifestOf, readableRuns, runs, summaryOf, URGENCY } from "../data/store.ts";
import type { ProbeInfo, RunManifest, Summary } from "../data/types.ts";
import { rowAt } from "../model/moment.ts";
import { readAddress, watchAddress, writeAddress } from "./address.ts";
import type { View } from "./view.ts";

export const view = signal<View>(readAddress());

export function show(change: Partial<View>): void {
  view.value = { ...view.value, ...change };
}

/** The run shown: the chosen one, else the first that has something to show. */
export const currentRun: ReadonlySignal<string | null> = computed(
  () => view.value.run ?? readableRuns.value[0]?.run ?? runs.value[0]?.run ?? null,
);

export const currentManifest: ReadonlySignal<RunManifest | null> = computed(() => manifestOf(currentRun.value));

export const currentSummary: ReadonlySignal<Summary | null> = computed(() =>
  currentRun.value === null ? null : summaryOf(currentRun.value).value.value,
);

const NO_STEPS: readonly number[] = [];

/** Explained epochs of the run shown, rising. */
export const steps: ReadonlySignal<readonly number[]> = computed(() => currentSummary.value?.steps ?? NO_STEPS);

/** Row of the epoch shown; -1 before any is known. */
export const currentRow: ReadonlySignal<number> = computed(() => rowAt(steps.value, view.value.epoch));

/** The epoch shown: a link may name one that this run has not (yet) explained, then the last one before it. */
export const currentStep: ReadonlySignal<number | null> = computed(() => steps.value[currentRow.value] ?? null);

export const currentProbe: ReadonlySignal<ProbeInfo | null> = computed(
  () => currentManifest.value?.probes.find((probe) => probe.id === view.value.probe) ?? null,
);

/** Moves to a row of the slider; the last row means the newest epoch from then on. */
export function goToRow(row: number): void {
  const last = steps.value.length - 1;
  if (last < 0) return;
  const clamped = Math.min(Math.max(row, 0), last);
  show({ epoch: clamped === last ? null : steps.value[clamped] });
}

/** Follows the address, and has it follow; fetches the summary of every run on show. */
export function connect(): void {
  watchAddress((next) => (view.value = next));
  effect(() => writeAddress(view.value));
  effect(() => {
    if (manifest.value.value === null) return;
    const charted = view.value.page === "shortcut";
    const compared = view.value.page === "compare";
    for (const { run } of readableRuns.value) {
      if (run === currentRun.value || charted || compared) summaryOf(run).ensure(growthOf(run), URGENCY.chosen);
    }
  });
  window.addEventListener("resize", () => {
    if (window.innerHeight > 0) writeAddress(view.value);
  });
}
