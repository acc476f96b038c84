// The left column: which run, which class, how it is drawn, which probes.
import { readableRuns, runs } from "../data/store.ts";
import { PALETTES, type PaletteName } from "../draw/overlay.ts";
import type { RunManifest } from "../data/types.ts";
import { className } from "../model/snapshot.ts";
import { decimal, percent } from "../model/numbers.ts";
import { labelsOf } from "../model/tiles.ts";
import { drawerOpen } from "../state/place.ts";
import { runFilter, runPattern } from "../state/runFilter.ts";
import { chartedNames, currentManifest, currentRun, show, view } from "../state/selection.ts";
import type { Basis, Target, View } from "../model/view.ts";
import { overallScale } from "../state/drawing.ts";
import { AlarmMark } from "./alarm.tsx";
import { type Option, Section, SearchField, Segmented, Select, Slider, Toggle } from "./controls.tsx";
import { runColour } from "./colours.ts";

/** More classes than this are not all listed: then those of the probes are. */
const MANY_CLASSES = 40;
const MOST_SUPERPIXELS = 30;

export function Sidebar() {
  const { page } = view;
  return (
    <aside id="controls" class={drawerOpen.value ? "sidebar open" : "sidebar"} aria-label="Controls">
      {["overview", "classes", "objects"].includes(page) && <RunChoice />}
      {page === "shortcut" && <ChartChoice />}
      {["overview", "compare"].includes(page) && <DrawingControls />}
      {["overview", "objects", "compare"].includes(page) && view.probe === null && <ProbeControls />}
    </aside>
  );
}

function RunChoice() {
  return (
    <Section title="Run">
      <RunFilter />
      <div class="runs" role="radiogroup" aria-label="Run" ref={chosenIntoView}>
        {runs.value.filter(({ run }) => run === currentRun.value || runFilter.value.matches(run)).map(({ run, manifest }) => (
          <label key={run} class="toggle" title={run}>
            <input
              type="radio"
              name="run"
              checked={run === currentRun.value}
              onChange={() => show({ run, probe: keepProbe(run) })}
            />
            <span class={manifest === null ? "name unreadable" : "name"}>{run}</span>
            <AlarmMark run={run} />
          </label>
        ))}
      </div>
    </Section>
  );
}

/** An open probe stays open in the other run if that has it. */
function keepProbe(run: string): string | null {
  const { probe } = view;
  const known = readableRuns.value.find((info) => info.run === run)?.manifest?.probes;
  return known?.some(({ id }) => id === probe) === true ? probe : null;
}

/** From so many runs on a filter helps. */
const MANY_RUNS = 6;

function RunFilter() {
  if (runs.value.length < MANY_RUNS) return null;
  const { problem } = runFilter.value;
  return (
    <>
      <SearchField label="Filter" value={runPattern.value} onChange={(value) => (runPattern.value = value)} />
      {problem !== null && <p class="problem">{problem}</p>}
    </>
  );
}

/** Of many runs the chosen one is on screen when the list appears. */
function chosenIntoView(list: HTMLElement | null): void {
  const chosen = list?.querySelector("input:checked");
  if (list !== null && chosen instanceof HTMLElement && list.scrollHeight > list.clientHeight) {
    list.scrollTop = chosen.offsetTop - list.offsetTop - list.clientHeight / 2;
  }
}

function ChartChoice() {
  const all = readableRuns.value.map(({ run }) => run);
  const chosen = chartedNames.value;
  const toggle = (run: string, on: boolean): void => {
    const next = all.filter((other) => (other === run ? on : chosen.includes(other)));
    show({ runs: next.length === all.length && all.length <= chartedNames.value.length + 1 ? null : next });
  };
  return (
    <Section title="Runs">
      <RunFilter />
      <div class="runs">
        {all.filter(runFilter.value.matches).map((run) => (
          <label key={run} class="toggle" title={run}>
            <input
              type="checkbox"
              checked={chosen.includes(run)}
              style={{ accentColor: runColour(run) }}
              onChange={(event) => toggle(run, event.currentTarget.checked)}
            />
            <span class="name">{run}</span>
            <AlarmMark run={run} />
            <i class="dot" style={{ background: runColour(run) }} />
          </label>
        ))}
      </div>
    </Section>
  );
}

function targetOptions(): Option<Target>[] {
  const manifest = currentManifest.value;
  const options: Option<Target>[] = [
    { value: "predicted", label: "Predicted class" },
    { value: "label", label: "True class" },
  ];
  if (manifest === null) return options;
  const count = manifest.class_names?.length ?? manifest.n_outputs ?? 0;
  const classes = count > MANY_CLASSES || count === 0 ? labelsOf(manifest.probes) : [...Array(count).keys()];
  const { target } = view;
  if (typeof target === "number" && !classes.includes(target)) classes.push(target);
  return [...options, ...classes.map((id) => ({ value: id, label: className(manifest, id) }))];
}

function DrawingControls() {
  const { target, sign, features, minWeight, opacity, borders, hideRest, ground, scaleOf, basis, style, palette } = view;
  return (
    <Section title="Explanation">
      <Select label="Explain" value={target} options={targetOptions()} onChange={(value) => show({ target: value })} />
      <Segmented
        label="Sign of the weights"
        value={sign}
        options={[
          { value: "both", label: "Both" },
          { value: "positive", label: "Positive" },
          { value: "negative", label: "Negative" },
        ]}
        onChange={(value) => show({ sign: value })}
      />
      <Slider
        label="Superpixels"
        value={features ?? MOST_SUPERPIXELS + 1}
        min={1}
        max={MOST_SUPERPIXELS + 1}
        step={1}
        shown={features === null ? "all" : String(features)}
        onChange={(value) => show({ features: value > MOST_SUPERPIXELS ? null : value })}
      />
      <Slider
        label="Min. weight"
        value={minWeight}
        min={0}
        max={0.3}
        step={0.005}
        shown={decimal(minWeight)}
        onChange={(value) => show({ minWeight: value })}
      />
      <Slider
        label="Opacity"
        value={opacity}
        min={0}
        max={1}
        step={0.05}
        shown={percent(opacity)}
        onChange={(value) => show({ opacity: value })}
      />
      <Segmented
        label="Weights over"
        value={ground}
        options={[
          { value: "grey", label: "Grey" },
          { value: "picture", label: "Picture" },
          { value: "none", label: "Nothing" },
        ]}
        onChange={(value) => show({ ground: value })}
      />
      <Select label="Scale" value={scaleOf} options={SCALE_OPTIONS} onChange={(value) => show({ scaleOf: value })} />
      <Select label="Weights of" value={basis} options={BASIS_OPTIONS} onChange={(value) => show({ basis: value })} />
      <div class="pair">
        <Toggle label="Borders" value={borders} onChange={(value) => show({ borders: value })} />
        <Toggle label="Hide the rest" value={hideRest} onChange={(value) => show({ hideRest: value })} />
      </div>
      <Segmented
        label="Style"
        value={style}
        options={[
          { value: "fill", label: "Heatmap" },
          { value: "outline", label: "Outline" },
        ]}
        onChange={(value) => show({ style: value })}
      />
      <Select
        label="Colours"
        value={palette}
        options={PALETTE_OPTIONS}
        onChange={(value) => show({ palette: value })}
      />
      <Legend palette={palette} />
    </Section>
  );
}

const SCALE_OPTIONS: readonly Option<View["scaleOf"]>[] = [
  { value: "image", label: "Each image" },
  { value: "probe", label: "Each probe, all epochs" },
  { value: "all", label: "All probes" },
];

const BASIS_OPTIONS: readonly Option<Basis>[] = [
  { value: "auto", label: "What moves" },
  { value: "probability", label: "Probability" },
  { value: "logit", label: "Log-odds" },
];

const PALETTE_OPTIONS: readonly Option<PaletteName>[] = [
  { value: "green-red", label: "Green / red" },
  { value: "blue-orange", label: "Blue / orange, colour-blind safe" },
];

function Legend({ palette }: { palette: PaletteName }) {
  const [supporting, opposing] = PALETTES[palette].map((colour) => `rgb(${colour.join(" ")})`);
  const { probability, logOdds } = overallScale.value;
  const common = view.basis === "logit" ? logOdds : probability;
  const end = view.scaleOf === "all" && common > 0 ? decimal(common) : null;
  return (
    <>
      <div class="legend" title={SCALE_TITLES[view.scaleOf]}>
        <span>against{end !== null && ` −${end}`}</span>
        <i style={{ background: `linear-gradient(90deg, ${opposing}, transparent, ${supporting})` }} />
        <span>for{end !== null && ` +${end}`}</span>
      </div>
      <ul class="legend-marks muted">
        <li>
          <i style={{ background: supporting, opacity: 0.3 }} /> faint: may be zero (two standard errors)
        </li>
        <li>
          <i class="stripes" /> striped: cannot be judged
        </li>
        {view.probe !== null && (
          <li>
            <i class="dashes" /> dashed: the sign is not to be relied on
          </li>
        )}
      </ul>
    </>
  );
}

const SCALE_TITLES: Readonly<Record<View["scaleOf"], string>> = {
  image: "Each image has a scale of its own; the number is on its corner",
  probe: "One scale per probe, the same at every epoch",
  all: "One scale for all probes",
};

const SORT_OPTIONS: readonly Option<View["sort"]>[] = [
  { value: "given", label: "As given" },
  { value: "name", label: "Name" },
  { value: "share", label: "Lowest object share" },
  { value: "wrong", label: "Wrong predictions" },
  { value: "r2", label: "Lowest R²" },
  { value: "certainty", label: "Least certain" },
  { value: "weight", label: "Strongest weight" },
  { value: "change", label: "Changed since last epoch" },
  { value: "flips", label: "Most changes of class" },
];

/** The classes of the probes, and one that was chosen otherwise. */
function predictedOptions(manifest: RunManifest, classes: readonly Option<number | null>[]): Option<number | null>[] {
  const { onlyPredicted } = view;
  const known = classes.some(({ value }) => value === onlyPredicted);
  return known ? [...classes] : [...classes, { value: onlyPredicted, label: className(manifest, onlyPredicted) }];
}

function ProbeControls() {
  const { sort, onlyClass, onlyPredicted, wrongOnly, maxShare, search, size } = view;
  const manifest = currentManifest.value;
  if (manifest === null) return null;
  const classes: Option<number | null>[] = [
    { value: null, label: "All classes" },
    ...labelsOf(manifest.probes).map((id) => ({ value: id, label: className(manifest, id) })),
  ];
  return (
    <Section title="Probes">
      <SearchField label="Search" value={search} onChange={(value) => show({ search: value })} />
      <Select label="Sort" value={sort} options={SORT_OPTIONS} onChange={(value) => show({ sort: value })} />
      {classes.length > 1 && (
        <Select label="Class" value={onlyClass} options={classes} onChange={(value) => show({ onlyClass: value })} />
      )}
      {classes.length > 1 && (
        <Select
          label="Predicted"
          value={onlyPredicted}
          options={predictedOptions(manifest, classes)}
          onChange={(value) => show({ onlyPredicted: value })}
        />
      )}
      <Slider
        label="Object share"
        value={maxShare}
        min={0}
        max={1}
        step={0.05}
        shown={maxShare >= 1 ? "any" : `≤ ${percent(maxShare)}`}
        onChange={(value) => show({ maxShare: value })}
      />
      <Toggle label="Wrong predictions only" value={wrongOnly} onChange={(value) => show({ wrongOnly: value })} />
      <Segmented
        label="Size of the tiles"
        value={size}
        options={[
          { value: "small", label: "Small" },
          { value: "medium", label: "Medium" },
          { value: "large", label: "Large" },
        ]}
        onChange={(value) => show({ size: value })}
      />
    </Section>
  );
}
