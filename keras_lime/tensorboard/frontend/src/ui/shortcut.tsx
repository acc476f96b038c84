// The shortcut chart: how much of the positive weight lies on the object, over the epochs, for every chosen run.
import { useMemo } from "preact/hooks";
import { manifestOf, readableRuns, summaryOf } from "../data/store.ts";
import type { Measure } from "../data/types.ts";
import { classesOf, curvesOf, type Curves, measuresOf, type RunSummary } from "../model/curves.ts";
import { className } from "../model/moment.ts";
import { percent } from "../model/numbers.ts";
import { show, view } from "../state/app.ts";
import { Chart, type Line } from "./chart.tsx";
import { runColour } from "./colours.ts";
import { Segmented } from "./controls.tsx";
import { NoMasks } from "./empty.tsx";

const MEASURE_NAMES: Readonly<Record<Measure, string>> = {
  object_share: "Object share",
  r2: "R²",
  probability: "Probability",
  accuracy: "Predicted right",
};

const EXPLANATIONS: Readonly<Record<Measure, string>> = {
  object_share:
    "How much of the positive weight lies on the object; dashed, what chance would give. The lower a curve, the more its model reads the background.",
  r2: "How well the explanations fit the model near each picture: 1 is a perfect fit, near 0 the weights say little.",
  probability: "Mean probability of the explained class, which the callback names first: the true class where it is known.",
  accuracy: "Share of the probes whose predicted class is the true one.",
};

/** Runs with a summary, in the order of the list, of those the user chose. */
export function chartedRuns(): RunSummary[] {
  const chosen = view.runs;
  return readableRuns.value.flatMap(({ run }) => {
    const summary = summaryOf(run).value.value;
    return summary === null || (chosen !== null && !chosen.includes(run)) ? [] : [{ run, summary }];
  });
}

export function Shortcut() {
  const runs = chartedRuns();
  const { measure } = view;
  const classes = classesOf(runs);
  const manifest = manifestOf(runs[0]?.run ?? null);
  const known = measuresOf(runs).includes(measure);
  return (
    <div class="shortcut">
      <div class="lead">
        <Segmented
          label="Measure"
          value={measure}
          options={(Object.keys(MEASURE_NAMES) as Measure[]).map((value) => ({ value, label: MEASURE_NAMES[value] }))}
          onChange={(value) => show({ measure: value })}
        />
        <p class="muted">{EXPLANATIONS[measure]}</p>
      </div>
      {runs.length === 0 && <p class="muted">Choose a run on the left.</p>}
      {runs.length > 0 && !known && (measure === "object_share" ? <NoMasks /> : <Unknown measure={measure} />)}
      {known && (
        <>
          <CurveCard title="All probes" runs={runs} classId={null} measure={measure} height={250} wide />
          <div class="cards">
            {manifest !== null &&
              classes.map((id) => (
                <CurveCard
                  key={id}
                  title={className(manifest, id)}
                  runs={runs}
                  classId={id}
                  measure={measure}
                  height={150}
                />
              ))}
          </div>
        </>
      )}
    </div>
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

interface CardProps {
  title: string;
  runs: readonly RunSummary[];
  classId: number | null;
  measure: Measure;
  height: number;
  wide?: boolean;
}

function CurveCard({ title, runs, classId, measure, height, wide }: CardProps) {
  const key = runs.map(({ run }) => run).join("\n");
  const curves = useMemo(
    () => curvesOf(runs, measure, classId),
    [key, ...runs.map(({ summary }) => summary), measure, classId],
  );
  const lines = useMemo(() => linesOf(curves), [curves]);
  return (
    <section class={wide === true ? "card wide" : "card"} aria-label={title}>
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
        />
      )}
    </section>
  );
}

function linesOf(curves: Curves): Line[] {
  const one = curves.chance.length === 1;
  return [
    ...curves.measured.map(({ run, values }) => ({ name: run, colour: runColour(run), values, strong: true })),
    ...curves.chance.map(({ run, values }) => ({
      name: one ? "by chance" : `by chance in ${run}`,
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

/** Shares fill 0 to 1, so that runs and classes compare at a glance; R² may fall below. */
function rangeOf(measure: Measure, { measured }: Curves): [number, number] {
  if (measure !== "r2") return [0, 1];
  const values = measured.flatMap((curve) => curve.values.filter((value) => value !== null));
  return [Math.min(0, ...values), 1];
}
