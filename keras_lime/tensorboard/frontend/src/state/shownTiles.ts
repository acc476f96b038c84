// Which probes are shown, in which order: what the controls make of the run's probes.
import { computed, type ReadonlySignal } from "@preact/signals";
import { probeOf } from "../data/store.ts";
import { className, snapshotAt } from "../model/snapshot.ts";
import { filterTiles, listedNumbers, numbersOf, sortTiles, type Tile } from "../model/tiles.ts";
import { currentManifest, currentRow, currentRun, currentStep, currentSummary, view } from "./selection.ts";

/** Whether the run's summary says enough of each probe; older logs need every probe's series. */
export const isListed: ReadonlySignal<boolean> = computed(() => {
  if (currentSummary.value?.probes.predicted == null) return false;
  const { target, sort, maxShare } = view;
  // It lists the numbers of the predicted class.
  return target === "predicted" || (!["share", "r2", "weight"].includes(sort) && maxShare >= 1);
});

/** Whether order or choice depends on the epoch's numbers. */
export const needsNumbers: ReadonlySignal<boolean> = computed(() => {
  const { sort, onlyPredicted, wrongOnly, maxShare } = view;
  return !["given", "name"].includes(sort) || onlyPredicted !== null || wrongOnly || maxShare < 1;
});

/** All probes with their numbers at the epoch. */
export const allTiles: ReadonlySignal<readonly Tile[]> = computed(() => {
  const run = currentRun.value;
  const probes = currentManifest.value?.probes ?? [];
  const summary = currentSummary.value;
  if (run === null) return [];
  const listed = summary === null || !isListed.value ? null : listedNumbers(summary, probes, currentRow.value);
  return probes.map((probe, index): Tile => {
    if (listed !== null) return { probe, numbers: listed[index] };
    const series = probeOf(run, probe.id).numbers.value;
    const snapshot = series === null ? null : snapshotAt(series, probe, currentStep.value, view.target);
    return { probe, numbers: series === null || snapshot === null ? null : numbersOf(series, snapshot) };
  });
});

const bareTiles: ReadonlySignal<readonly Tile[]> = computed(() =>
  (currentManifest.value?.probes ?? []).map((probe) => ({ probe, numbers: null })),
);

/** Numbers are looked at only where order or choice depends on them. */
export const tiles: ReadonlySignal<readonly Tile[]> = computed(() => {
  const manifest = currentManifest.value;
  if (manifest === null) return [];
  const { sort, onlyClass, onlyPredicted, wrongOnly, maxShare, search, pinned } = view;
  const all = needsNumbers.value || search !== "" ? allTiles.value : bareTiles.value;
  const kept = filterTiles(all, { onlyClass, onlyPredicted, wrongOnly, maxShare, search }, (id) => className(manifest, id));
  return sortTiles(kept, sort, pinned ?? []);
});
