// The alarm where nobody overlooks it: a mark on the run, and its words over the pictures.
import { summaryOf } from "../data/store.ts";
import { alarmAt, type Episode, episodesOf, stretch } from "../model/alarms.ts";
import { currentStep, currentSummary, show, steps } from "../state/selection.ts";
import { Icon } from "./icons.tsx";

/** A mark beside the name of a run that has, or had, an alarm. */
export function AlarmMark({ run }: { run: string }) {
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
  return (
    <div class={alarm === null ? "alarm-banner past" : "alarm-banner"} role="alert" aria-label="Shortcut alarm">
      <Icon name="warning" />
      <p>
        {alarm === null ? (
          <>No alarm at this epoch, but a shortcut alarm at {spans(episodes, last, last.to === newest)}.</>
        ) : (
          <>
            <b>Shortcut alarm since epoch {alarm.began}.</b> {alarm.words}
          </>
        )}
      </p>
      {alarm === null && (
        <button class="action" onClick={() => show({ epoch: last.from })}>
          Go to epoch {last.from}
        </button>
      )}
      <button class="action" onClick={() => show({ page: "shortcut", probe: null })}>
        See the evidence
      </button>
    </div>
  );
}
