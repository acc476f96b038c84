// The alarm where nobody overlooks it: a mark on the run, and its words over the pictures.
import { summaryOf } from "../data/store.ts";
import { alarmAt, type Episode, episodesOf, stretch } from "../model/alarms.ts";
import { evidenceOf } from "../state/place.ts";
import { useEffect, useRef } from "preact/hooks";
import { setRunVisible } from "../state/selection.ts";
import { useVisible } from "./useVisible.ts";
import { currentRun, currentStep, currentSummary, show, steps } from "../state/selection.ts";
import { Advice } from "./advice.tsx";
import { Icon } from "./icons.tsx";

/** A mark beside the name of a run that has, or had, an alarm. */
export function AlarmMark({ run }: { run: string }) {
  const element = useRef<HTMLSpanElement>(null);
  const visible = useVisible(element);
  useEffect(() => setRunVisible(run, visible), [run, visible]);
  return (
    <span ref={element} class="alarm-slot">
      <Mark run={run} />
    </span>
  );
}

function Mark({ run }: { run: string }) {
  const summary = summaryOf(run).value.value;
  const episodes = summary === null ? [] : episodesOf(summary);
  const last = episodes[episodes.length - 1];
  if (summary === null || last === undefined) return null;
  const on = last.to === summary.steps[summary.steps.length - 1];
  const words = `Shortcut alarm: ${spans(episodes, last, on)}. ${last.last.words}`;
  return (
    <span class={on ? "alarm-mark" : "alarm-mark past"} title={words} role="img" aria-label={words}>
      <Icon name="warning" />
    </span>
  );
}

function spans(episodes: readonly Episode[], last: Episode, on: boolean): string {
  const newest = on ? last.to : NaN;
  return episodes.map((episode) => stretch(episode, newest)).join(", ");
}

/** Over the pictures: the words of the alarm at this epoch, or at which epochs there is one. */
export function AlarmBanner() {
  const summary = currentSummary.value;
  const step = currentStep.value;
  if (summary === null) return null;
  const episodes = episodesOf(summary);
  const last = episodes[episodes.length - 1];
  if (last === undefined) return null;
  const alarm = alarmAt(summary, step);
  const newest = steps.value[steps.value.length - 1];
  const run = currentRun.value;
  const seeEvidence = (): void => {
    evidenceOf.value = run;
    show({ page: "shortcut", probe: null });
  };
  if (alarm === null) {
    return (
      <div class="alarm-banner past" role="status" aria-label="Shortcut alarm">
        <Icon name="warning" />
        <p>No alarm at this epoch, but a shortcut alarm at {spans(episodes, last, last.to === newest)}.</p>
        <button class="action" onClick={() => show({ epoch: last.from })}>
          Go to epoch {last.from}
        </button>
        <button class="action" onClick={seeEvidence}>
          See the evidence
        </button>
      </div>
    );
  }
  return (
    <div class="alarm-banner" role="status" aria-label="Shortcut alarm">
      <Icon name="warning" />
      <details class="alarm-words">
        <summary>
          <b>Shortcut alarm since epoch {alarm.began}.</b> <span class="more">What was found, and what you can do</span>
        </summary>
        <p>{alarm.words}</p>
        <h3>What you can do</h3>
        <Advice alarm={alarm} />
      </details>
      <button class="action" onClick={seeEvidence}>
        See the evidence
      </button>
    </div>
  );
}
