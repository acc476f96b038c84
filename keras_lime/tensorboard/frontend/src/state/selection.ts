// The view as a signal, what follows from it, and the ways to change it. Keeps the address in step.
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { growthOf, manifest, manifestOf, readableRuns, retries, runs, summaryOf, URGENCY } from "../data/store.ts";
import type { ProbeInfo, RunManifest, Summary } from "../data/types.ts";
import { rowAt } from "../model/snapshot.ts";
import { readAddress, watchAddress, writeAddress } from "./address.ts";
import { DEFAULT_VIEW, type View } from "../model/view.ts";

const whole = signal<View>(readAddress());

/**
 * What is looked at. Reading a property follows that property alone: moving the epoch leaves everything be that does
 * not depend on it.
 */
export const view: View = Object.defineProperties(
  {},
  Object.fromEntries(
    (Object.keys(DEFAULT_VIEW) as (keyof View)[]).map((key) => {
      const part = computed(() => whole.value[key]);
      return [key, { get: () => part.value, enumerable: true }];
    }),
  ),
) as View;

export function show(change: Partial<View>): void {
  whole.value = { ...whole.value, ...change };
}

export function showExactly(next: View): void {
  whole.value = next;
}

/** The run shown: the chosen one, else the first that has something to show. */
export const currentRun: ReadonlySignal<string | null> = computed(
  () => view.run ?? readableRuns.value[0]?.run ?? runs.value[0]?.run ?? null,
);

export const currentManifest: ReadonlySignal<RunManifest | null> = computed(() => manifestOf(currentRun.value));

export const currentSummary: ReadonlySignal<Summary | null> = computed(() =>
  currentRun.value === null ? null : summaryOf(currentRun.value).value.value,
);

const NO_STEPS: readonly number[] = [];

/** Explained epochs of the run shown, rising. */
export const steps: ReadonlySignal<readonly number[]> = computed(() => currentSummary.value?.steps ?? NO_STEPS);

/** Row of the epoch shown; -1 before any is known. */
export const currentRow: ReadonlySignal<number> = computed(() => rowAt(steps.value, view.epoch));

/** The epoch shown: a link may name one that this run has not (yet) explained, then the last one before it. */
export const currentStep: ReadonlySignal<number | null> = computed(() => steps.value[currentRow.value] ?? null);

export const currentProbe: ReadonlySignal<ProbeInfo | null> = computed(
  () => currentManifest.value?.probes.find((probe) => probe.id === view.probe) ?? null,
);

/** Moves to a row of the slider; the last row means the newest epoch from then on. */
export function goToRow(row: number): void {
  const last = steps.value.length - 1;
  if (last < 0) return;
  const clamped = Math.min(Math.max(row, 0), last);
  show({ epoch: clamped === last ? null : steps.value[clamped] });
}

/** Browsers allow a hundred changes of the address in half a minute; a slider makes more. */
const ADDRESS_PAUSE_MS = 250;

let addressTimer = 0;

function writeSoon(next: View): void {
  window.clearTimeout(addressTimer);
  addressTimer = window.setTimeout(() => writeAddress(next), ADDRESS_PAUSE_MS);
}

/** Follows the address, and has it follow; fetches the summary of every run on show. */
export function connect(): void {
  watchAddress(showExactly, () => whole.peek());
  effect(() => writeSoon(whole.value));
  effect(() => {
    // Followed, so that a summary that could not be had is asked for again.
    void retries.value;
    if (manifest.value.value === null) return;
    const charted = view.page === "shortcut";
    const compared = view.page === "compare";
    for (const { run } of readableRuns.value) {
      // The others only for the mark of their alarms.
      const urgency = run === currentRun.value || charted || compared ? URGENCY.chosen : URGENCY.later;
      void summaryOf(run).ensure(growthOf(run), urgency);
    }
  });
  window.addEventListener("resize", () => {
    if (window.innerHeight > 0) writeSoon(whole.value);
  });
}
