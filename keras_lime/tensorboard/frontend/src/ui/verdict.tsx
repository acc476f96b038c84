// What the shortcut tests of one run found at an epoch: the verdict, what it rests on, and what could not be measured.
import type { RunManifest, ShortcutSettings, Summary, TestStatus } from "../data/types.ts";
import { REGIONS } from "../data/schema.ts";
import { alarmAt, episodesOf, isTooEarly, readingTitle, ruleOf, stateOf, stretch, sureness } from "../model/alarms.ts";
import type { Reading } from "../data/types.ts";
import { isNumber, percent, percentWithError, twoDecimals } from "../model/numbers.ts";
import { Advice } from "./advice.tsx";
import { runColour } from "./colours.ts";
import { Icon } from "./icons.tsx";
import { Markers } from "./markers.tsx";

interface Props {
  run: string;
  manifest: RunManifest;
  summary: Summary;
  /** Row of the epoch looked at. */
  row: number;
}

export function Verdict({ run, manifest, summary, row }: Props) {
  const step = summary.steps[row];
  const alarm = alarmAt(summary, step);
  const others = episodesOf(summary).map((episode) => stretch(episode, summary.steps[summary.steps.length - 1]));
  return (
    <section class={`card verdict-card${cardKind(manifest, summary, row)}`} aria-label={`Verdict on ${run}`}>
      <h3>
        <i class="dot" style={{ background: runColour(run) }} />
        <span class="name" title={run}>
          {run}
        </span>
        <span class="spread" />
        <span class="state">
          {alarm !== null && <Icon name="warning" />}
          {stateOf(manifest, summary, row)}
          {alarm === null && manifest.shortcut !== null && `, epoch ${step}`}
        </span>
      </h3>
      {alarm === null ? <Calm manifest={manifest} summary={summary} row={row} /> : <p>{alarm.words}</p>}
      {alarm !== null && alarm.readings.length > 0 && <Readings readings={alarm.readings} />}
      {alarm !== null && alarm.markers.length > 0 && <Markers run={run} manifest={manifest} markers={alarm.markers} />}
      {alarm !== null && (
        <details>
          <summary>What you can do</summary>
          <Advice alarm={alarm} />
        </details>
      )}
      {alarm === null && others.length > 0 && <p class="cross">There is an alarm at {others.join(", ")}.</p>}
      <Tests tests={summary.shortcut.tests[row] ?? []} />
      <Unmeasured manifest={manifest} summary={summary} row={row} />
      <Costs summary={summary} row={row} />
    </section>
  );
}

/** Grey where nothing was tested: no alarm would be the wrong word. */
function cardKind(manifest: RunManifest, summary: Summary, row: number): string {
  if (alarmAt(summary, summary.steps[row]) !== null) return " on";
  return stateOf(manifest, summary, row) === "no alarm" ? "" : " untested";
}

/** Every test with its status; where it could not speak, why, and what to do. */
function Tests({ tests }: { tests: readonly TestStatus[] }) {
  if (tests.length === 0) return null;
  return (
    <ul class="tests" aria-label="Tests">
      {tests.map(({ test, title, status, reason, remedy }) => (
        <li key={test} class={status.replace(" ", "-")}>
          <span class="status">{status}</span>
          <span>
            {title}
            {reason !== "" && <span class="muted">. {reason}</span>} {remedy}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What the epoch's findings cost. */
function Costs({ summary, row }: Pick<Props, "summary" | "row">) {
  const [passes, share] = [summary.passes[row], summary.epochShare[row]];
  if (!isNumber(passes)) return null;
  return (
    <p class="muted costs">
      This epoch took about {passes.toLocaleString("en")} forward passes{isNumber(share) && `, ${percent(share)} of its time`}.
    </p>
  );
}

/** Without an alarm: how far the numbers are from one. */
function Calm({ manifest, summary, row }: Omit<Props, "run">) {
  const { shortcut: settings } = manifest;
  if (settings === null) {
    return (
      <p class="muted">
        This log holds no shortcut tests: they were off (<code>shortcut_threshold=None</code>), or its writer knew none.
      </p>
    );
  }
  const { trainAccuracy, accuracyNeeded } = summary.shortcut;
  const byReliance = ruleOf(manifest).measure === "reliance";
  return (
    <>
      {byReliance ? (
        <ReliancePart settings={settings} summary={summary} row={row} />
      ) : (
        <FlipPart settings={settings} summary={summary} row={row} />
      )}
      {isTooEarly(summary.shortcut, row) && (
        <p>
          This does not count yet: training accuracy is {percent(trainAccuracy[row])}
          {isNumber(accuracyNeeded[row]) && `, and measurements count from ${percent(accuracyNeeded[row])} on`}. A model
          that still guesses changes its mind with any picture.
        </p>
      )}
      {summary.shortcut.tests.length === 0 && settings.swap && settings.swapped < settings.leastProbes && (
        <p>
          {settings.swapped} probes are too few to raise an alarm: it takes {settings.leastProbes}, and twice as many do well.
        </p>
      )}
    </>
  );
}

interface PartProps {
  settings: ShortcutSettings;
  summary: Summary;
  row: number;
}

function ReliancePart({ settings, summary, row }: PartProps) {
  const { reliance, swap_flip: flip } = summary.overall;
  if (!isNumber(reliance[row])) return null;
  const errors = isNumber(settings.relianceErrors) ? ` and ${settings.relianceErrors} standard errors` : "";
  return (
    <>
      <p>
        {percentWithError(reliance[row], summary.errors.reliance?.[row])} of the predictions follow the class of the
        background; an alarm takes more than {percent(settings.relianceThreshold)}
        {errors}, {times(settings.patience)}.
      </p>
      <p class="muted">
        On backgrounds of other classes {percent(flip[row])} of them change. The same-class control: on other backgrounds of
        the same class {percent(summary.shortcut.sameFlip[row])} change, and these do not count.
      </p>
    </>
  );
}

/** Of older logs, which were judged by how many predictions change. */
function FlipPart({ settings, summary, row }: PartProps) {
  const flip = summary.overall.swap_flip[row];
  if (!isNumber(flip)) return null;
  return (
    <p>
      With the object on backgrounds of other classes {percentWithError(flip, summary.errors.swap_flip?.[row])} of the
      predictions change; an alarm takes more than {percent(settings.threshold)}, {times(settings.patience)}.
      {flip > settings.threshold && isNumber(settings.backgroundThreshold) && (
        <>
          {" "}
          It also takes that the background alone keeps more than {percent(settings.backgroundThreshold)} of their certainty:
          it keeps {percent(Math.max(0, summary.overall.p_background[row]))}.
        </>
      )}
    </p>
  );
}

/** Which tests fired, and how sure they are. */
function Readings({ readings }: { readings: readonly Reading[] }) {
  return (
    <ul class="readings muted" aria-label="Tests that fired">
      {readings.map((reading) => {
        const [value, stderr, threshold] = [reading.value, reading.stderr, reading.threshold].map(twoDecimals);
        const sure = sureness(reading);
        return (
          <li key={readingTitle(reading)}>
            <b>{readingTitle(reading)}</b>: {value}
            {isNumber(sure) && ` ± ${stderr}, ${sure.toFixed(1)} standard errors`} above {threshold}
          </li>
        );
      })}
    </ul>
  );
}

function Unmeasured({ manifest, summary, row }: Omit<Props, "run">) {
  const said = [...new Set([...(manifest.shortcut?.unmeasured ?? []), ...summary.shortcut.unmeasured])];
  const listed = (summary.shortcut.tests[row] ?? []).map(({ reason }) => reason).filter((reason) => reason !== "");
  // One may be the other with its remedy, and what is told beside its test is not told again.
  const reasons = said.filter(
    (reason) =>
      !said.some((other) => other !== reason && other.startsWith(reason)) && !listed.some((told) => reason.startsWith(told)),
  );
  if (reasons.length === 0) return null;
  return (
    <div class="unmeasured">
      <h4>Not measured, and what it takes</h4>
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  );
}

/** Corners and borders, hidden one after the other: where watermarks sit. */
export function Places({ run, manifest, summary, row }: Props) {
  const { drops, dropErrors, frame } = summary.shortcut;
  const at = (place: number): number => row * REGIONS.length + place;
  if (!isNumber(drops[at(0)])) return null;
  const threshold = manifest.shortcut?.occlusionThreshold ?? NaN;
  const reach = Math.max(0.1, ...REGIONS.map((_, place) => drops[at(place)] + (dropErrors[at(place)] || 0)));
  const share = (value: number): string => `${Math.max(0, Math.min(1, value / reach)) * 100}%`;
  return (
    <section class="card places" aria-label={`Corners and borders of ${run}`}>
      <h3>Corners and borders hidden, epoch {summary.steps[row]}</h3>
      <p class="muted">
        What hiding a place takes off the probability of the prediction, ± one standard error. A watermark shows as one long
        bar{isNumber(threshold) && `; the line is where the alarm begins, ${threshold}`}.
      </p>
      <ul>
        {REGIONS.map((name, place) => {
          const drop = drops[at(place)];
          return (
            <li key={name} class={drop > threshold ? "over" : ""}>
              <span>{name}</span>
              <span class="meter">
                <i style={{ width: share(drop) }} />
                {isNumber(threshold) && <u style={{ left: share(threshold) }} />}
              </span>
              <span>
                {twoDecimals(drop)}
                {isNumber(dropErrors[at(place)]) && ` ± ${twoDecimals(dropErrors[at(place)])}`}
              </span>
            </li>
          );
        })}
      </ul>
      {isNumber(frame[row]) && (
        <p class="muted">
          <b>A hint only, no alarm:</b> with the outer frame alone the predictions keep {percent(Math.max(0, frame[row]))} of
          their certainty (0 % is a guess). Frames hold background, and sometimes a part of the object.
        </p>
      )}
    </section>
  );
}

function times(patience: number): string {
  return patience === 1 ? "once" : `${patience} measurements in a row`;
}
