// Two runs, or two epochs of one run, on the same probes: left, right, and what the weights changed by.
import { useMemo, useRef } from "preact/hooks";
import { readableRuns, summaryOf } from "../data/store.ts";
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import type { Drawing, LabelledPicture } from "../draw/overlay.ts";
import { strongest } from "../model/scaleFor.ts";
import { className, type Explained, type Snapshot, snapshotAt, rowAt } from "../model/snapshot.ts";
import { isNumber, percent } from "../model/numbers.ts";
import { marksOf } from "../model/diagnostics.ts";
import { commonClass, difference, sameSegments } from "../model/comparison.ts";
import { currentManifest, currentRun, currentStep, show, steps, view } from "../state/selection.ts";
import { comparedProbes, comparedSide, comparedStep, rightSteps } from "../state/comparedSide.ts";
import { tiles } from "../state/shownTiles.ts";
import { Select } from "./controls.tsx";
import { NothingLeft, OneSide } from "./empty.tsx";
import { EpochSlider, StepSlider } from "./epochs.tsx";
import { ExplainedPicture, Picture } from "./picture.tsx";
import { useDrawing, useProbe, useSmall } from "./probe.ts";
import { useVisible } from "./useVisible.ts";
import { pictureLabel, Prediction, Share } from "./tile.tsx";

const SMALL = 300;
export function Compare() {
  const run = currentRun.value;
  const side = comparedSide.value;
  const manifest = currentManifest.value;
  if (run === null || side === null || manifest === null) return null;
  return (
    <div class="compare">
      <h2 class="visually-hidden">Two sides compared</h2>
      <div class="sides">
        <SideChoice side="left" run={run} steps={steps.value} step={currentStep.value} />
        <SideChoice side="right" run={side.run} steps={rightSteps.value} step={comparedStep.value} />
      </div>
      {comparedProbes.value.length === 0 && (tiles.value.length === 0 ? <NothingLeft /> : <OneSide />)}
      <div class={`pairs ${view.size}`}>
        {comparedProbes.value.map((probe) => (
          <Pair key={`${run} ${side.run} ${probe.id}`} probe={probe} left={run} right={side.run} manifest={manifest} />
        ))}
      </div>
    </div>
  );
}

interface SideProps {
  side: "left" | "right";
  run: string;
  steps: readonly number[];
  step: number | null;
}

function SideChoice({ side, run, steps: known, step }: SideProps) {
  const summary = summaryOf(run).value.value;
  const row = rowAt(known, step);
  const left = side === "left";
  return (
    <section class="card side" aria-label={left ? "Left side" : "Right side"}>
      <Select
        label={left ? "Left" : "Right"}
        value={run}
        options={readableRuns.value.map((info) => ({ value: info.run, label: info.run }))}
        onChange={(value) => show(left ? { run: value } : { otherRun: value, otherEpoch: null })}
      />
      {left && <EpochSlider />}
      {!left && row >= 0 && (
        <StepSlider
          label="Epoch of the right side"
          steps={known}
          row={row}
          onRow={(next) => show({ otherRun: run, otherEpoch: known[next] })}
        />
      )}
      {summary !== null && row >= 0 && (
        <p class="muted">
          predicted right {percent(summary.overall.accuracy[row])}
          {isNumber(summary.overall.object_share[row]) && (
            <>
              {" · object share "}
              <b>{percent(summary.overall.object_share[row])}</b> (by chance {percent(summary.chance[row])})
            </>
          )}
        </p>
      )}
    </section>
  );
}

interface PairProps {
  probe: ProbeInfo;
  left: string;
  right: string;
  manifest: RunManifest;
}

function Pair({ probe, left, right, manifest }: PairProps) {
  const element = useRef<HTMLElement>(null);
  const seen = useVisible(element);
  const [first, second] = [useProbe(left, probe.id, seen), useProbe(right, probe.id, seen)];
  const [seriesLeft, seriesRight] = [first.numbers.value, second.numbers.value];
  const { target, basis } = view;
  const snapshotLeft = seriesLeft === null ? null : snapshotAt(seriesLeft, probe, currentStep.value, target, basis);
  const snapshotRight = seriesRight === null ? null : snapshotAt(seriesRight, probe, comparedStep.value, target, basis);
  const labelledLeft = useSmall(first.labelled.value, SMALL);
  const labelledRight = useSmall(second.labelled.value, SMALL);
  const [mapLeft, mapRight] = [first.segments.value.value, second.segments.value.value];
  const same = useMemo(
    () => mapLeft !== null && mapRight !== null && sameSegments(mapLeft, mapRight),
    [mapLeft, mapRight],
  );
  const common = useMemo(() => {
    if (seriesLeft === null || seriesRight === null || snapshotLeft === null || snapshotRight === null) return null;
    const half = { series: seriesLeft, snapshot: snapshotLeft };
    return commonClass(half, { series: seriesRight, snapshot: snapshotRight }, probe.label, basis);
  }, [seriesLeft, seriesRight, snapshotLeft?.at, snapshotRight?.at, target, basis, probe]);
  // Both sides and their difference have one scale.
  const [shownLeft, shownRight] = [snapshotLeft?.shown ?? null, snapshotRight?.shown ?? null];
  const stronger = useMemo(
    () => (shownLeft === null || shownRight === null ? (shownLeft ?? shownRight) : pairScale(shownLeft, shownRight)),
    [shownLeft?.weights, shownRight?.weights],
  );
  const drawing = useDrawing(stronger, seriesLeft, seriesRight);
  const problem = first.problem.value ?? second.problem.value;
  const side = (labelled: LabelledPicture | null, snapshot: Snapshot | null) => (
    <div class="half">
      <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        {seen && labelled !== null && (
          <ExplainedPicture
            labelled={labelled}
            explained={snapshot?.shown ?? null}
            drawing={drawing}
            label={pictureLabel(probe, manifest, snapshot)}
          />
        )}
        {snapshot !== null && snapshot.shown === null && <span class="veil">not explained at this epoch</span>}
      </span>
      <Prediction probe={probe} manifest={manifest} snapshot={snapshot} />
      <Share probe={probe} snapshot={snapshot} />
    </div>
  );
  return (
    <section ref={element} class="card pair-card" aria-label={probe.name} data-probe={probe.id}>
      <h3 title={probe.name}>
        <button class="link" onClick={() => show({ page: "overview", probe: probe.id })}>
          {probe.name}
        </button>
        {probe.label !== null && <span class="muted"> {className(manifest, probe.label)}</span>}
      </h3>
      {problem !== null && <p class="problem">{problem}</p>}
      <div class="triple">
        {side(labelledLeft, snapshotLeft)}
        {side(labelledRight, snapshotRight)}
        <div class="half">
          <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
            {seen && labelledLeft !== null && (
              <Change labelled={labelledLeft} same={same} common={common} drawing={drawing} />
            )}
          </span>
          <span class="muted name">
            right minus left
            {same && common !== null && `, ${className(manifest, common.left.target)}`}
          </span>
        </div>
      </div>
    </section>
  );
}

function pairScale(left: Explained, right: Explained): Explained {
  return strongest(left.weights) > strongest(right.weights) ? left : right;
}

interface ChangeProps {
  labelled: LabelledPicture;
  same: boolean;
  common: ReturnType<typeof commonClass>;
  drawing: Drawing;
}

function Change({ labelled, same, common, drawing }: ChangeProps) {
  const change = useMemo(
    () => (same && common !== null ? difference(common.left, common.right) : null),
    [same, common],
  );
  if (change === null) return <span class="veil">{same ? "no class explained on both sides" : "other superpixels"}</span>;
  return (
    <Picture
      labelled={labelled}
      weights={change.weights}
      marks={marksOf(change)}
      drawing={drawing}
      label="Difference of the weights, right minus left"
    />
  );
}
