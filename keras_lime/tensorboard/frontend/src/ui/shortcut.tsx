// Shortcuts: the verdict on every chosen run, its curves over the epochs, and the pictures behind them.
import { useMemo } from "preact/hooks";
import { manifestOf, summaryOf } from "../data/store.ts";
import { type Measure, MEASURES } from "../data/types.ts";
import { alarmRows, ruleOf } from "../model/alarms.ts";
import { classesOf, curvesOf, type Curves, laterFitsOf, measuresOf, type RunSummary } from "../model/curves.ts";
import { className, rowAt } from "../model/snapshot.ts";
import { isNumber, percent } from "../model/numbers.ts";
import { chartedNames, show, view } from "../state/selection.ts";
import { Chart, type Line } from "./chart.tsx";
import { runColour } from "./colours.ts";
import { Segmented } from "./controls.tsx";
import { NoMasks } from "./empty.tsx";
import { StepSlider } from "./epochs.tsx";
import { Places, Verdict } from "./verdict.tsx";
import { Groups } from "./groups.tsx";
import { RunTable } from "./runTable.tsx";
import { Swaps } from "./swaps.tsx";

export const MEASURE_NAMES: Readonly<Record<Measure, string>> = {
  reliance: "Reliance",
  swap_flip: "Swap flip",
  object_share: "Object share",
  p_background: "Background only",
  p_object: "Object only",
  r2: "R²",
  probability: "Probability",
  accuracy: "Predicted right",
};

const EXPLANATIONS: Readonly<Record<Measure, string>> = {
  reliance:
    "Share of the predictions that follow the class of the background: near 0 for a model that reads the object. Backgrounds of the same class are the control: a weak model changes its mind on these as well, and that does not count.",
  swap_flip:
    "Share of the predictions that change when the object stands on backgrounds of other classes: near 0 for a model that reads the object; a weak model changes its mind on any new background. Dashed: guesses.",
  object_share:
    "How much of the positive weight lies on the object; dashed, by chance. The lower a curve, the more its model reads the background.",
  p_background:
    "Certainty that is left when the object is taken out: 100 % is certain, 0 % a guess. The higher, the more the background alone tells the model.",
  p_object:
    "Certainty that is left with nothing but the object, on grey: 100 % is certain, 0 % a guess. A model that needs the background stays low.",
  r2: "How well the explanations fit the model near each picture: 1 is a perfect fit, near 0 the weights say little.",
  probability: "Mean probability of the first explained class: the true one where it is known.",
  accuracy: "Share of the probes whose predicted class is the true one.",
};

const SWAP: readonly Measure[] = ["reliance", "swap_flip", "p_background", "p_object"];

/** Runs with a summary, in the order of the list, of those the user chose. */
export function chartedRuns(): RunSummary[] {
  return chartedNames.value.flatMap((run) => {
    const summary = summaryOf(run).value.value;
    return summary === null ? [] : [{ run, summary }];
  });
}

/** The chosen measure, else the first that the tests gave a run, else the object share. */
export function chartedMeasure(runs: readonly RunSummary[]): Measure {
  const known = measuresOf(runs);
  const tested = (["reliance", "swap_flip"] as const).find((measure) => known.includes(measure));
  return view.measure ?? tested ?? "object_share";
}

export function Shortcut() {
  const runs = chartedRuns();
  const steps = useMemo(
    () => [...new Set(runs.flatMap(({ summary }) => summary.steps))].sort((a, b) => a - b),
    runs.map(({ summary }) => summary),
  );
  if (runs.length === 0) return <p class="shortcut muted">Choose a run on the left.</p>;
  const row = rowAt(steps, view.epoch);
  const goTo = (next: number): void => show({ epoch: next >= steps.length - 1 ? null : steps[next] });
  const fits = [...new Set(runs.flatMap(({ run }) => laterFitsOf(manifestOf(run))))];
  const marked = steps.map((step) => runs.some(({ summary }) => alarmRows(summary)[summary.steps.indexOf(step)] === true));
  return (
    <>
      {row >= 0 && (
        <div class="epochbar">
          <StepSlider label="Epoch" steps={steps} row={row} marked={marked} fits={fits} onRow={goTo} />
        </div>
      )}
      <div class="shortcut">
        <h2 class="visually-hidden">Verdicts</h2>
        <Findings runs={runs} part="verdict" />
        <RunTable />
        <CurveCards runs={runs} mark={steps[row]} onPick={goTo} />
        <Findings runs={runs} part="evidence" />
      </div>
    </>
  );
}

/** Per run, at the epoch looked at: the verdicts beside each other, or the pictures below each other. */
function Findings({ runs, part }: { runs: readonly RunSummary[]; part: "verdict" | "evidence" }) {
  const found = runs.flatMap(({ run, summary }) => {
    const manifest = manifestOf(run);
    const row = rowAt(summary.steps, view.epoch);
    return manifest === null || row < 0 ? [] : [{ run, summary, manifest, row }];
  });
  if (part === "verdict") {
    return (
      <div class="verdicts">
        {found.map((each) => (
          <Verdict key={each.run} {...each} />
        ))}
      </div>
    );
  }
  return (
    <>
      {found.map((each) => (
        <section key={each.run} class="evidence" aria-label={`Evidence on ${each.run}`}>
          <h2>
            <i class="dot" style={{ background: runColour(each.run) }} /> {each.run}
          </h2>
          <Places {...each} />
          {each.manifest.shortcut?.swap === true && (
            <Swaps run={each.run} manifest={each.manifest} step={each.summary.steps[each.row]} />
          )}
          <Groups run={each.run} manifest={each.manifest} step={each.summary.steps[each.row]} />
        </section>
      ))}
    </>
  );
}

interface CurvesProps {
  runs: readonly RunSummary[];
  /** The epoch looked at. */
  mark: number | undefined;
  onPick: (row: number) => void;
}

function CurveCards({ runs, mark, onPick }: CurvesProps) {
  const measure = chartedMeasure(runs);
  const known = measuresOf(runs);
  const manifest = manifestOf(runs[0]?.run ?? null);
  // Measures of the background swap that no run has would only be in the way.
  const offered = MEASURES.filter((each) => each === measure || known.includes(each) || !SWAP.includes(each));
  const card = { runs, measure, mark, onPick };
  return (
    <>
      <div class="lead">
        <Segmented
          label="Measure"
          value={measure}
          options={offered.map((value) => ({ value, label: MEASURE_NAMES[value] }))}
          onChange={(value) => show({ measure: value })}
        />
        <p class="muted">{EXPLANATIONS[measure]}</p>
      </div>
      {!known.includes(measure) && (measure === "object_share" ? <NoMasks /> : <Unknown measure={measure} />)}
      {known.includes(measure) && (
        <>
          <CurveCard {...card} title="All probes" classId={null} height={250} />
          {measure === "reliance" ? (
            <p class="muted">By class it is not known for sure; see the swap flip of each class.</p>
          ) : (
            <div class="cards">
              {manifest !== null &&
                classesOf(runs).map((id) => (
                  <CurveCard key={id} {...card} title={className(manifest, id)} classId={id} height={150} />
                ))}
            </div>
          )}
        </>
      )}
    </>
  );
}

function Unknown({ measure }: { measure: Measure }) {
  const reason = measure === "accuracy" ? "the probes have no labels" : "no epoch has a number";
  return (
    <p class="empty" role="status">
      {MEASURE_NAMES[measure]} is not known: {reason}.
    </p>
  );
}

interface CardProps extends CurvesProps {
  title: string;
  classId: number | null;
  measure: Measure;
  height: number;
}

function CurveCard({ title, runs, classId, measure, height, mark, onPick }: CardProps) {
  const key = runs.map(({ run }) => run).join("\n");
  const curves = useMemo(
    () => curvesOf(runs, measure, classId),
    [key, ...runs.map(({ summary }) => summary), measure, classId],
  );
  const fits = [...new Set(runs.flatMap(({ run }) => laterFitsOf(manifestOf(run))))];
  // Alarms are marked on the measure that they were judged by.
  const judged = classId === null ? runs.map(({ run }) => run).filter((run) => judges(run, measure)) : [];
  const lines = useMemo(() => linesOf(curves, measure, new Set(judged)), [curves, measure, judged.join("\n")]);
  return (
    <section class="card curves" aria-label={title}>
      <h3 title={title}>{title}</h3>
      {curves.measured.length === 0 ? (
        <p class="muted">not measured</p>
      ) : (
        <Chart
          steps={curves.steps}
          lines={lines}
          range={rangeOf(measure, curves)}
          height={height}
          label={`${MEASURE_NAMES[measure]} of ${title} over the epochs. ${spoken(curves)}`}
          format={(value) => (measure === "r2" ? String(+value.toFixed(2)) : percent(value))}
          span
          legend
          mark={mark}
          fits={fits}
          level={thresholdOf(runs, measure)}
          notes={[...notesOf(curves, new Set(judged)), ...(fits.length > 0 ? ["dotted: a further fit begins"] : [])]}
          onPick={onPick}
        />
      )}
    </section>
  );
}

function judges(run: string, measure: Measure): boolean {
  const manifest = manifestOf(run);
  return manifest !== null && ruleOf(manifest).measure === measure;
}

/** Where the alarm begins, if the measure is what raises it and that is the same for all such runs. */
function thresholdOf(runs: readonly RunSummary[], measure: Measure): number | null {
  const rules = runs.flatMap(({ run }) => manifestOf(run) ?? []).map(ruleOf);
  const values = new Set(rules.filter((rule) => rule.measure === measure).map(({ threshold }) => threshold).filter(isNumber));
  const [value] = values;
  return values.size === 1 ? value : null;
}

/** What the chart holds beside its lines. */
function notesOf(curves: Curves, judged: ReadonlySet<string>): string[] {
  const banded = curves.measured.some(({ errors }) => errors.some(isNumber));
  const alarms = curves.measured.some((curve) => judged.has(curve.run) && curve.alarms.length > 0);
  return [...(banded ? ["band: ± one standard error"] : []), ...(alarms ? ["▲ alarm"] : [])];
}

function linesOf(curves: Curves, measure: Measure, judged: ReadonlySet<string>): Line[] {
  const one = curves.chance.length === 1;
  const chance = measure === "swap_flip" ? "by guessing" : "by chance";
  return [
    ...curves.measured.map(({ run, values, errors, alarms }) => ({
      name: run,
      colour: runColour(run),
      values,
      band: errors,
      warnings: judged.has(run) ? alarms : [],
      strong: true,
    })),
    ...curves.chance.map(({ run, values }) => ({
      name: one ? chance : `${chance} in ${run}`,
      colour: one ? "var(--muted)" : runColour(run),
      values,
      dashed: true,
    })),
  ];
}

/** Where every curve stands now, for those who hear the page. */
function spoken(curves: Curves): string {
  return curves.measured.map(({ run, values }) => `${run}: ${percent(lastOf(values))}`).join("; ");
}

function lastOf(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** Shares fill 0 to 1, so that runs and classes compare at a glance; R², reliance and certainty may fall below. */
function rangeOf(measure: Measure, { measured }: Curves): [number, number] {
  if (!["r2", "reliance", "p_background", "p_object"].includes(measure)) return [0, 1];
  const values = measured.flatMap((curve) => curve.values.filter((value) => value !== null));
  return [Math.min(0, ...values), 1];
}
