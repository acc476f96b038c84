// What "PNG" and "CSV" save on each page: the pictures and the numbers that are shown.
import { manifestOf, probeOf, summaryOf, wantProbe } from "../data/store.ts";
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import { composeFigure, type Legend, type Panel } from "../draw/composeFigure.ts";
import { rasterise } from "../draw/rasterise.ts";
import { type LabelledPicture, PALETTES } from "../draw/overlay.ts";
import { fileName, toCsv } from "../model/csv.ts";
import { className, type Explained, type Snapshot, snapshotAt } from "../model/snapshot.ts";
import { isNumber, percent, probability } from "../model/numbers.ts";
import { commonClass, difference, sameSegments } from "../model/comparison.ts";
import { comparisonTable, curvesTable, overviewTable, type Table, weightsTable } from "../model/tables.ts";
import { currentManifest, currentProbe, currentRun, currentStep, view } from "../state/selection.ts";
import { scaleFor } from "../model/scaleFor.ts";
import { drawing, overallScale } from "../state/drawing.ts";
import { comparedProbes, comparedSide, comparedStep } from "../state/comparedSide.ts";
import { tiles } from "../state/shownTiles.ts";
import { chartedMeasure, chartedRuns, MEASURE_NAMES } from "./shortcut.tsx";
import { marksOf } from "../model/diagnostics.ts";
import { paint } from "./picture.tsx";
import { savePicture, saveText } from "./save.ts";

const LARGE = 448;
const SMALL = 192;
const CHART = 640;
const COLUMNS = 6;

export async function saveCsv(): Promise<void> {
  await fetchShown();
  const table = shownTable();
  if (table !== null) saveText(toCsv(table.header, table.rows), fileName(nameParts(), "csv"));
}

export async function savePng(): Promise<void> {
  await fetchShown();
  const figure = await (view.page === "shortcut" ? chartFigure() : shownFigure());
  if (figure !== null) savePicture(figure, fileName(nameParts(), "png"));
}

/** What was not yet scrolled to is shown too, and belongs into the file. */
async function fetchShown(): Promise<void> {
  const { page, probe } = view;
  const run = currentRun.value;
  if (run === null || page === "shortcut" || probe !== null) return;
  const runs = page === "compare" && comparedSide.value !== null ? [run, comparedSide.value.run] : [run];
  const probes = page === "compare" ? comparedProbes.value : tiles.value.map((tile) => tile.probe);
  await Promise.all(runs.flatMap((each) => probes.map(({ id }) => wantProbe(each, id))));
}

function nameParts(): (string | number)[] {
  const { page } = view;
  if (page === "shortcut") return ["lime", chartedMeasure(chartedRuns())];
  const run = currentRun.value ?? "";
  const place = [run, currentProbe.value?.name ?? page, "epoch", currentStep.value ?? ""];
  const right = comparedSide.value;
  if (page === "compare" && right !== null) return ["lime", ...place, "and", right.run, comparedStep.value ?? ""];
  return ["lime", ...place];
}

function snapshotOf(run: string, probe: ProbeInfo, step: number | null): Snapshot | null {
  const series = probeOf(run, probe.id).numbers.value;
  return series === null ? null : snapshotAt(series, probe, step, view.target, view.basis);
}

function shownTable(): Table | null {
  const run = currentRun.value;
  const manifest = currentManifest.value;
  if (view.page === "shortcut") {
    const runs = chartedRuns();
    const known = manifestOf(runs[0]?.run ?? null);
    return known === null ? null : curvesTable(runs, known, chartedMeasure(runs));
  }
  if (run === null || manifest === null) return null;
  if (view.page === "compare") return shownComparison(run, manifest);
  const probe = currentProbe.value;
  if (probe === null) {
    const step = currentStep.value;
    return overviewTable(
      run,
      manifest,
      tiles.value.map((tile) => ({ probe: tile.probe, snapshot: snapshotOf(run, tile.probe, step) })),
    );
  }
  const data = probeOf(run, probe.id);
  const target = snapshotOf(run, probe, currentStep.value)?.shown?.target;
  const series = data.numbers.value;
  if (series === null || target === undefined) return null;
  return weightsTable(run, manifest, probe, series, target, data.segments.value.value?.objectFraction ?? null, view.basis);
}

function shownComparison(run: string, manifest: RunManifest): Table | null {
  const right = comparedSide.value;
  if (right === null) return null;
  const pairs = comparedProbes.value.map((probe) => ({ probe, common: commonOf(run, right.run, probe) }));
  return comparisonTable(manifest, pairs);
}

/** The class that can be subtracted, where both sides have the same superpixels. */
function commonOf(left: string, right: string, probe: ProbeInfo): ReturnType<typeof commonClass> {
  const [before, after] = [snapshotOf(left, probe, currentStep.value), snapshotOf(right, probe, comparedStep.value)];
  const [first, second] = [probeOf(left, probe.id), probeOf(right, probe.id)];
  const [mapLeft, mapRight] = [first.segments.value.value, second.segments.value.value];
  const [series, other] = [first.numbers.value, second.numbers.value];
  if (before === null || after === null || series === null || other === null) return null;
  if (mapLeft === null || mapRight === null || !sameSegments(mapLeft, mapRight)) return null;
  return commonClass({ series, snapshot: before }, { series: other, snapshot: after }, probe.label, view.basis);
}

function shownFigure(): HTMLCanvasElement | null {
  const run = currentRun.value;
  const manifest = currentManifest.value;
  if (run === null || manifest === null) return null;
  const epoch = `${run}, epoch ${currentStep.value ?? ""}`;
  const probe = currentProbe.value;
  if (view.page === "compare") {
    const right = comparedSide.value;
    if (right === null) return null;
    const panels = comparedProbes.value.flatMap((each) => pairPanels(run, right.run, each, manifest));
    const title = `Left: ${epoch}. Right: ${right.run}, epoch ${comparedStep.value ?? ""}. Then right minus left.`;
    return composeFigure(title, panels, 3, SMALL, legendOf());
  }
  if (probe !== null) {
    const snapshot = snapshotOf(run, probe, currentStep.value);
    const scale = scaleOf(snapshot?.shown ?? null, [run], probe);
    const panels = [
      panelOf(run, probe, null, scale, ["Original", labelLine(probe, manifest)]),
      panelOf(run, probe, snapshot?.shown ?? null, scale, captionOf(manifest, snapshot)),
    ];
    return composeFigure(`${probe.name}: ${epoch}`, present(panels), 2, LARGE, legendOf());
  }
  const panels = tiles.value.map((tile) => {
    const snapshot = snapshotOf(run, tile.probe, currentStep.value);
    const scale = scaleOf(snapshot?.shown ?? null, [run], tile.probe);
    return panelOf(run, tile.probe, snapshot?.shown ?? null, scale, [
      tile.probe.name,
      predictionLine(manifest, snapshot),
    ]);
  });
  return composeFigure(epoch, present(panels), COLUMNS, SMALL, legendOf());
}

function pairPanels(left: string, right: string, probe: ProbeInfo, manifest: RunManifest): Panel[] {
  const [before, after] = [snapshotOf(left, probe, currentStep.value), snapshotOf(right, probe, comparedStep.value)];
  const shown = [before?.shown ?? null, after?.shown ?? null];
  const scale = Math.max(...shown.map((one) => scaleOf(one, [left, right], probe) ?? 0)) || null;
  const common = commonOf(left, right, probe);
  const name = common === null ? "nothing to subtract" : `right minus left, ${className(manifest, common.left.target)}`;
  const change = common === null ? null : difference(common.left, common.right);
  const panels = [
    panelOf(left, probe, before?.shown ?? null, scale, [probe.name, predictionLine(manifest, before)]),
    panelOf(right, probe, after?.shown ?? null, scale, [probe.name, predictionLine(manifest, after)]),
    panelOf(left, probe, change, scale, [name]),
  ];
  // All three or none, so that the rows stay rows.
  return panels.includes(null) ? [] : present(panels);
}

function scaleOf(shown: Explained | null, runs: readonly string[], probe: ProbeInfo): number | null {
  const series = runs.flatMap((run) => probeOf(run, probe.id).numbers.value ?? []);
  return scaleFor(view.scaleOf, shown, series, overallScale.value);
}

type Drawable = ReturnType<typeof difference>;

function panelOf(
  run: string,
  probe: ProbeInfo,
  shown: Drawable | null,
  scale: number | null,
  lines: readonly string[],
): Panel | null {
  const labelled: LabelledPicture | null = probeOf(run, probe.id).labelled.value;
  if (labelled === null) return null;
  const canvas = document.createElement("canvas");
  canvas.width = labelled.width;
  canvas.height = labelled.height;
  const marks = shown === null ? null : marksOf(shown);
  paint(canvas, labelled, shown?.weights ?? null, marks, { ...drawing.value, scale });
  return { canvas, lines: lines.filter((line) => line !== "") };
}

const SCALE_WORDS: Readonly<Record<typeof view.scaleOf, string>> = {
  image: "full colour: the largest weight of each image",
  probe: "full colour: the probe's largest weight at any epoch",
  all: "full colour: the largest weight of all probes",
};

function legendOf(): Legend {
  const [supporting, opposing] = PALETTES[view.palette].map((rgb) => `rgb(${rgb.join(" ")})`);
  return { supporting, opposing, words: `the class; ${SCALE_WORDS[view.scaleOf]}; rims: the strongest five` };
}

function present(panels: readonly (Panel | null)[]): Panel[] {
  return panels.filter((panel) => panel !== null);
}

function labelLine(probe: ProbeInfo, manifest: RunManifest): string {
  return probe.label === null ? "" : `true class: ${className(manifest, probe.label)}`;
}

function predictionLine(manifest: RunManifest, snapshot: Snapshot | null): string {
  if (snapshot === null || snapshot.predicted === null) return "";
  const mark = snapshot.wrong === true ? "✗ " : "";
  return `${mark}${className(manifest, snapshot.predicted)} ${probability(snapshot.predictedValue)}`;
}

function captionOf(manifest: RunManifest, snapshot: Snapshot | null): string[] {
  const shown = snapshot?.shown ?? null;
  if (shown === null) return ["not explained at this epoch"];
  const share = isNumber(shown.objectShare) ? `, object share ${percent(shown.objectShare)}` : "";
  return [
    `For ${className(manifest, shown.target)} (${probability(shown.prediction)})`,
    `predicted ${predictionLine(manifest, snapshot)}${share}`,
  ];
}

/** The charts as they stand on the page. */
async function chartFigure(): Promise<HTMLCanvasElement | null> {
  const cards = [...document.querySelectorAll<HTMLElement>(".shortcut .curves")].filter((card) => card.querySelector("svg"));
  const panels = cards.map(async (card): Promise<Panel> => {
    const legend = [...card.querySelectorAll("li")].map((item) => item.innerText.replaceAll("\n", " "));
    const canvas = await rasterise(card.querySelector("svg") as SVGSVGElement);
    return { canvas, lines: [card.querySelector("h3")?.textContent ?? "", legend.join("   ")] };
  });
  return panels.length === 0 ? null : composeFigure(MEASURE_NAMES[chartedMeasure(chartedRuns())], await Promise.all(panels), 2, CHART);
}

/** False where there is nothing to save. */
export function canSave(): boolean {
  const { page } = view;
  if (page === "classes" || page === "objects") return false;
  if (page === "shortcut") return chartedRuns().some(({ run }) => summaryOf(run).value.value !== null);
  return currentManifest.value !== null && currentStep.value !== null;
}
