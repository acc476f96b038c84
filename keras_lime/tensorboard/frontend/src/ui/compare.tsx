// Two runs, or two epochs of one run, on the same probes: left, right, and what the weights changed by.
import { useMemo, useRef } from "preact/hooks";
import { readableRuns, summaryOf } from "../data/store.ts";
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import type { Drawing, Sheet } from "../draw/overlay.ts";
import { className, type Moment, momentAt, rowAt } from "../model/moment.ts";
import { isNumber, percent } from "../model/numbers.ts";
import { marksOf } from "../model/trust.ts";
import { commonClass, difference, sameSegments } from "../model/sides.ts";
import { currentManifest, currentRun, currentStep, show, steps, view } from "../state/app.ts";
import { comparedProbes, rightSide, rightStep, rightSteps } from "../state/right.ts";
import { tiles } from "../state/tiles.ts";
import { Select } from "./controls.tsx";
import { NothingLeft, OneSide } from "./empty.tsx";
import { EpochSlider, StepSlider } from "./epochs.tsx";
import { ExplainedPicture, Picture } from "./picture.tsx";
import { useDrawing, useProbe, useSmall } from "./probe.ts";
import { useSeen } from "./seen.ts";
import { pictureLabel, Prediction, Share } from "./tile.tsx";

const SMALL = 300;
export function Compare() {
  const run = currentRun.value;
  const side = rightSide.value;
  const manifest = currentManifest.value;
  if (run === null || side === null || manifest === null) return null;
  return (
    <div class="compare">
      <div class="sides">
        <SideChoice side="left" run={run} steps={steps.value} step={currentStep.value} />
        <SideChoice side="right" run={side.run} steps={rightSteps.value} step={rightStep.value} />
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
  const seen = useSeen(element);
  const [first, second] = [useProbe(left, probe.id, seen), useProbe(right, probe.id, seen)];
  const [seriesLeft, seriesRight] = [first.numbers.value, second.numbers.value];
  const scale = seriesLeft === null || seriesRight === null ? null : Math.max(seriesLeft.scale, seriesRight.scale);
  const drawing = useDrawing(scale);
  const { target } = view;
  const momentLeft = seriesLeft === null ? null : momentAt(seriesLeft, probe, currentStep.value, target);
  const momentRight = seriesRight === null ? null : momentAt(seriesRight, probe, rightStep.value, target);
  const sheetLeft = useSmall(first.sheet.value, SMALL);
  const sheetRight = useSmall(second.sheet.value, SMALL);
  const [mapLeft, mapRight] = [first.segments.value.value, second.segments.value.value];
  const same = useMemo(
    () => mapLeft !== null && mapRight !== null && sameSegments(mapLeft, mapRight),
    [mapLeft, mapRight],
  );
  const common = useMemo(() => {
    if (seriesLeft === null || seriesRight === null || momentLeft === null || momentRight === null) return null;
    const half = { series: seriesLeft, moment: momentLeft };
    return commonClass(half, { series: seriesRight, moment: momentRight }, probe.label);
  }, [seriesLeft, seriesRight, momentLeft?.at, momentRight?.at, target, probe]);
  const problem = first.problem.value ?? second.problem.value;
  const side = (sheet: Sheet | null, moment: Moment | null) => (
    <div class="half">
      <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        {seen && sheet !== null && (
          <ExplainedPicture
            sheet={sheet}
            explained={moment?.shown ?? null}
            drawing={drawing}
            label={pictureLabel(probe, manifest, moment)}
          />
        )}
        {moment !== null && moment.shown === null && <span class="veil">not explained at this epoch</span>}
      </span>
      <Prediction probe={probe} manifest={manifest} moment={moment} />
      <Share probe={probe} moment={moment} />
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
        {side(sheetLeft, momentLeft)}
        {side(sheetRight, momentRight)}
        <div class="half">
          <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
            {seen && sheetLeft !== null && (
              <Change sheet={sheetLeft} same={same} common={common} drawing={drawing} />
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

interface ChangeProps {
  sheet: Sheet;
  same: boolean;
  common: ReturnType<typeof commonClass>;
  drawing: Drawing;
}

function Change({ sheet, same, common, drawing }: ChangeProps) {
  const change = useMemo(
    () => (same && common !== null ? difference(common.left, common.right) : null),
    [same, common],
  );
  if (change === null) return <span class="veil">{same ? "no class explained on both sides" : "other superpixels"}</span>;
  return (
    <Picture
      sheet={sheet}
      weights={change.weights}
      marks={marksOf(change)}
      drawing={drawing}
      label="Difference of the weights, right minus left"
    />
  );
}
