// One probe, large: original and explanation, the strongest superpixels, their history, and the explained classes.
import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo } from "preact/hooks";
import type { ProbeInfo, RunManifest, Series } from "../data/types.ts";
import { selectSegments } from "../draw/overlay.ts";
import { strongest } from "../model/scaleFor.ts";
import { className, type Explained, explainedAt, historyOf, type Snapshot, snapshotAt } from "../model/snapshot.ts";
import { decimal, percent, probability, twoDecimals } from "../model/numbers.ts";
import { currentStep, currentSummary, goToRow, show, view } from "../state/selection.ts";
import { tiles } from "../state/shownTiles.ts";
import { Bars } from "./bars.tsx";
import { lineColour } from "./colours.ts";
import { Divided, DividerSlider } from "./divider.tsx";
import { History } from "./history.tsx";
import { NearestImages } from "./neighbours.tsx";
import { Rim, SegmentCard, UnsureRims } from "./hover.tsx";
import { blinks, divides, stopBlinking, toggleBlinking, toggleDivider } from "../state/original.ts";
import { ScaleSentence, unitOf } from "./scaleNote.tsx";
import { ownsKeys } from "../state/keys.ts";
import { Icon } from "./icons.tsx";
import { MaskRim } from "./objects.tsx";
import { ExplainedPicture, Picture } from "./picture.tsx";
import { useDrawing, useProbe } from "./probe.ts";
import { pictureLabel } from "./tile.tsx";
import { DiagnosticList } from "./diagnosticList.tsx";

const STRONGEST = 8;

interface Props {
  run: string;
  probe: ProbeInfo;
  manifest: RunManifest;
}

export function Detail({ run, probe, manifest }: Props) {
  const data = useProbe(run, probe.id, true);
  const series = data.numbers.value;
  const snapshot = series === null ? null : snapshotAt(series, probe, currentStep.value, view.target, view.basis);
  const problem = data.problem.value;
  useEffect(() => stopBlinking, []);
  return (
    <article class="detail" aria-label={`Probe ${probe.name}`}>
      <DetailHeader probe={probe} manifest={manifest} snapshot={snapshot} />
      {problem !== null && <p class="problem">{problem}</p>}
      {series !== null && snapshot !== null ? (
        <DetailBody run={run} probe={probe} manifest={manifest} series={series} snapshot={snapshot} />
      ) : (
        <p class="muted">{series === null ? "On the way …" : "This probe has no explanation at this epoch."}</p>
      )}
    </article>
  );
}

interface HeaderProps {
  probe: ProbeInfo;
  manifest: RunManifest;
  snapshot: Snapshot | null;
}

function DetailHeader({ probe, manifest, snapshot }: HeaderProps) {
  const order = tiles.value.map((tile) => tile.probe.id);
  const place = order.indexOf(probe.id);
  const go = (by: number): void => show({ probe: order[(place + by + order.length) % order.length] ?? probe.id });
  useKeys(go);
  return (
    <header>
      <button class="action" onClick={() => show({ probe: null })}>
        <Icon name="back" /> All probes
      </button>
      <h2 title={probe.name}>{probe.name}</h2>
      {snapshot !== null && snapshot.predicted !== null && (
        <p class={snapshot.wrong === true ? "verdict wrong" : "verdict"}>
          predicted <b>{className(manifest, snapshot.predicted)}</b> {probability(snapshot.predictedValue)}
          {snapshot.wrong === false && <span class="tick"> ✓ right</span>}
          {snapshot.wrong === true && <span class="cross"> ✗ wrong, it is {className(manifest, probe.label)}</span>}
        </p>
      )}
      <span class="spread" />
      <PinButton probe={probe.id} />
      <button class="round" aria-label="Previous probe" onClick={() => go(-1)}>
        <Icon name="left" />
      </button>
      <span class="muted">{place < 0 ? "" : `${place + 1} of ${order.length}`}</span>
      <button class="round" aria-label="Next probe" onClick={() => go(1)}>
        <Icon name="right" />
      </button>
    </header>
  );
}

interface BodyProps extends Props {
  series: Series;
  snapshot: Snapshot;
}

function DetailBody({ run, probe, manifest, series, snapshot }: BodyProps) {
  const data = useProbe(run, probe.id, true);
  const pointed = useSignal<number | null>(null);
  const labelled = data.labelled.value;
  const shown = snapshot.shown;
  const drawing = useDrawing(shown, series);
  const fractions = data.segments.value.value?.objectFraction ?? null;
  const strongest = useMemo(
    () => (shown === null ? [] : selectSegments(shown.weights, drawing).slice(0, STRONGEST)),
    [series, snapshot.at, shown?.slot, drawing],
  );
  const colourOf = useCallback(
    (segment: number) => {
      const place = strongest.indexOf(segment);
      return place < 0 ? null : lineColour(place);
    },
    [strongest],
  );
  const segment = pointed.value;
  const noGradients = currentSummary.value?.shortcut.noGradients ?? null;
  const ratio = { "--ratio": probe.width / probe.height };
  const point = (next: number | null): void => void (pointed.value = next);
  const outlined = data.segments.value.value ?? null;
  return (
    <>
      {shown !== null && <DiagnosticList manifest={manifest} explained={shown} noGradients={noGradients} />}
      <div class="panes">
        {labelled !== null && (
          <>
            <figure>
              <figcaption>
                Original
                {outlined?.estimatedMask != null && <span class="muted"> outline of the object estimated</span>}
              </figcaption>
              <div class="frame" style={ratio}>
                <Picture labelled={labelled} weights={null} drawing={drawing} label={`Picture of ${probe.name}`} onPoint={point} />
                <MaskRim labelled={labelled} mask={outlined?.objectMask ?? outlined?.estimatedMask ?? null} />
                <Rim labelled={labelled} segment={segment} />
              </div>
            </figure>
            <figure class="explanation">
              <figcaption>
                {shown === null ? "Not explained at this epoch" : `For ${className(manifest, shown.target)}`}
                {shown !== null && <span class="muted"> {probability(shown.prediction)}</span>}
              </figcaption>
              <div class="frame" style={ratio}>
                <ExplainedPicture
                  labelled={labelled}
                  explained={shown}
                  drawing={drawing}
                  label={pictureLabel(probe, manifest, snapshot)}
                  onPoint={point}
                />
                {shown !== null && <UnsureRims labelled={labelled} explained={shown} />}
                <Rim labelled={labelled} segment={segment} />
                {shown !== null && divides.value && <Divided labelled={labelled} drawing={drawing} />}
              </div>
              {shown !== null && divides.value && <DividerSlider />}
              {shown !== null && (
                <p class="under muted">
                  {drawing.scale !== null && `Full colour: a weight of ±${decimal(drawing.scale)} ${unitOf(shown)}. `}
                  <ScaleSentence manifest={manifest} explained={shown} /> Hold the picture or the key O for the original.{" "}
                  <button class="link" aria-pressed={blinks.value} onClick={toggleBlinking}>
                    {blinks.value ? "Stop blinking" : "Blink"}
                  </button>
                  {" · "}
                  <button class="link" aria-pressed={divides.value} onClick={toggleDivider}>
                    {divides.value ? "No divider" : "Divide"}
                  </button>
                </p>
              )}
            </figure>
          </>
        )}
        <section class="strongest" aria-label="Weights">
          <h3>Strongest superpixels</h3>
          {shown !== null && (
            <Bars
              manifest={manifest}
              explained={shown}
              segments={strongest}
              scale={drawing.scale ?? 1}
              drawing={drawing}
              objectFraction={fractions}
              colourOf={colourOf}
              pointed={pointed}
            />
          )}
          {shown !== null && segment !== null && segment < series.segments ? (
            <SegmentCard
              manifest={manifest}
              segment={segment}
              explained={shown}
              fraction={fractions?.[segment] ?? null}
              history={historyOf(series, shown.target, segment, shown.logOdds).weights}
              at={snapshot.at}
            />
          ) : (
            <p class="segment-card muted">Point at a superpixel or a bar to see its weight and its history.</p>
          )}
        </section>
      </div>
      <div class="below">
        <section aria-label="Weights over the epochs">
          <h3>Weights over the epochs</h3>
          {shown !== null && (
            <History
              series={series}
              target={shown.target}
              logOdds={shown.logOdds}
              segments={strongest}
              colourOf={colourOf}
              pointed={pointed}
              at={snapshot.at}
              onRow={(row) => goToRow(row)}
            />
          )}
        </section>
        <Classes run={run} probe={probe} manifest={manifest} series={series} snapshot={snapshot} />
        <NearestImages run={run} probe={probe} manifest={manifest} />
      </div>
    </>
  );
}

/** The explained classes beside each other; a click explains that class everywhere. */
function Classes({ run, probe, manifest, series, snapshot }: BodyProps) {
  const labelled = useProbe(run, probe.id, true).labelled.value;
  const explained = snapshot.targets.map((target) => explainedAt(series, snapshot.at, target, view.basis));
  // The classes beside each other have one scale, or the weakest would look like the strongest.
  const drawing = useDrawing(largestOf(explained), series);
  if (labelled === null) return null;
  return (
    <section aria-label="Explained classes">
      <h3>Explained classes</h3>
      <div class="classes">
        {snapshot.targets.map((target, place) => {
          const one = explained[place];
          if (one === null) return null;
          const roles = [target === snapshot.predicted ? "predicted" : "", target === probe.label ? "true" : ""];
          return (
            <button
              key={target}
              class="tile"
              aria-pressed={target === snapshot.shown?.target}
              onClick={() => show({ target })}
            >
              <span class="frame">
                <ExplainedPicture
                  labelled={labelled}
                  explained={one}
                  drawing={drawing}
                  label={`Explanation for ${className(manifest, target)}`}
                />
              </span>
              <span class="name">{className(manifest, target)}</span>
              <span class="muted">{roles.filter((role) => role !== "").join(", ") || " "}</span>
              <span>
                {probability(one.prediction)}
                <span class="muted"> R² {twoDecimals(one.r2)}</span>
              </span>
              {probe.chance !== null && <span class="muted">object {percent(one.objectShare)}</span>}
            </button>
          );
        })}
      </div>
    </section>
  );
}

/** The one with the strongest weight. */
function largestOf(all: readonly (Explained | null)[]): Explained | null {
  const known = all.filter((one) => one !== null);
  return known.reduce<Explained | null>(
    (best, one) => (best === null || strongest(one.weights) > strongest(best.weights) ? one : best),
    null,
  );
}

/** Pinned probes stand first in the overview. */
function PinButton({ probe }: { probe: string }) {
  const pinned = view.pinned ?? [];
  const on = pinned.includes(probe);
  const toggle = (): void => {
    const next = on ? pinned.filter((id) => id !== probe) : [...pinned, probe];
    show({ pinned: next.length === 0 ? null : next });
  };
  return (
    <button class="action" aria-pressed={on} title="Pinned probes stand first" onClick={toggle}>
      {on ? "Unpin" : "Pin"}
    </button>
  );
}

function useKeys(go: (by: number) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Escape") show({ probe: null });
      else if (ownsKeys(event.target)) return;
      else if (event.key.toLowerCase() === "n") go(1);
      else if (event.key.toLowerCase() === "p") go(-1);
      else if (event.key.toLowerCase() === "b") toggleBlinking();
      else if (event.key.toLowerCase() === "d") toggleDivider();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
}
