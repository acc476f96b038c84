// The view as a signal, what follows from it, and the ways to change it. Keeps the address in step.
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
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

/** Runs whose line in a list is on screen: their alarms and numbers are shown there. */
export const visibleRuns: Signal<ReadonlySet<string>> = signal(new Set<string>());

export function setRunVisible(run: string, visible: boolean): void {
  const before = visibleRuns.peek();
  if (before.has(run) === visible) return;
  const next = new Set(before);
  if (visible) next.add(run);
  else next.delete(run);
  visibleRuns.value = next;
}

/** More curves than this in one chart tell nothing: without a choice the first of many runs are charted. */
const MOST_CURVES = 12;

/** Runs in the charts: the chosen ones, else the first. */
export const chartedNames: ReadonlySignal<readonly string[]> = computed(() => {
  const all = readableRuns.value.map(({ run }) => run);
  const chosen = view.runs;
  return chosen === null ? all.slice(0, MOST_CURVES) : all.filter((run) => chosen.includes(run));
});

/** Browsers allow a hundred changes of the address in half a minute; a slider makes more. */
const ADDRESS_PAUSE_MS = 250;

let addressTimer = 0;
let written: View | null = null;

/** Pages, probes and runs are steps that Back walks through; what sliders and switches change is not. */
function isStep(before: View, next: View): boolean {
  return before.page !== next.page || before.probe !== next.probe || before.run !== next.run;
}

function writeSoon(next: View): void {
  window.clearTimeout(addressTimer);
  if (written !== null && isStep(written, next)) {
    const before = written;
    written = next;
    // What was still to be written belongs to the step before.
    writeAddress({ ...next, page: before.page, probe: before.probe, run: before.run });
    writeAddress(next, true);
    return;
  }
  written = next;
  addressTimer = window.setTimeout(() => writeAddress(next), ADDRESS_PAUSE_MS);
}

/** The address leads: what it says needs not be written. */
function follow(next: View): void {
  written = next;
  showExactly(next);
}

/** Follows the address, and has it follow; fetches the summary of every run on show. */
export function connect(): void {
  watchAddress(follow, () => whole.peek());
  effect(() => writeSoon(whole.value));
  effect(() => {
    // Followed, so that a summary that could not be had is asked for again.
    void retries.value;
    if (manifest.value.value === null) return;
    const wanted = new Set([currentRun.value]);
    if (view.page === "shortcut") for (const run of chartedNames.value) wanted.add(run);
    if (view.page === "compare") wanted.add(view.otherRun ?? readableRuns.value.find(({ run }) => run !== currentRun.value)?.run ?? null);
    for (const run of visibleRuns.value) wanted.add(run);
    for (const { run } of readableRuns.value) {
      if (wanted.has(run)) void summaryOf(run).ensure(growthOf(run), run === currentRun.value ? URGENCY.chosen : URGENCY.visible);
    }
  });
  window.addEventListener("resize", () => {
    if (window.innerHeight > 0) writeSoon(whole.value);
  });
}
