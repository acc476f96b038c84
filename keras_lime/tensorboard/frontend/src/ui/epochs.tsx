// The epoch slider with its play button, and the arrow keys that move it.
import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { alarmRows } from "../model/alarms.ts";
import { laterFitsOf } from "../model/curves.ts";
import { currentManifest, currentRow, currentSummary, goToRow, show, steps, view } from "../state/selection.ts";
import { ownsKeys } from "../state/keys.ts";
import { Icon } from "./icons.tsx";

const FRAME_MS = 350;

const playing = signal(false);

const laterFits = computed(() => laterFitsOf(currentManifest.value));

const alarms = computed(() => (currentSummary.value === null ? [] : alarmRows(currentSummary.value)));

export function EpochSlider() {
  usePlaying();
  const row = currentRow.value;
  const count = steps.value.length;
  // The newest epoch can be drawn before all epochs are known; their place is kept.
  if (count === 0) return <div class="epochs" />;
  return (
    <div class="epochs" role="group" aria-label="Epochs">
      <button
        class="round"
        aria-label={playing.value ? "Stop" : "Play through the epochs"}
        title="Play (space)"
        onClick={togglePlaying}
        disabled={count < 2}
      >
        <Icon name={playing.value ? "pause" : "play"} />
      </button>
      <StepSlider label="Epoch" steps={steps.value} row={row} marked={alarms.value} fits={laterFits.value} onRow={goToRow} />
      <button
        class="newest"
        aria-pressed={view.epoch === null}
        title="Stay at the newest epoch while training goes on"
        onClick={() => show({ epoch: view.epoch === null ? (steps.value[row] ?? null) : null })}
      >
        Newest
      </button>
    </div>
  );
}

interface StepProps {
  label: string;
  steps: readonly number[];
  row: number;
  /** Rows with a red mark: there is an alarm. */
  marked?: readonly boolean[];
  /** Epochs at which a further training of the same run began. */
  fits?: readonly number[];
  onRow: (row: number) => void;
}

/** A slider over rows, named by their epochs: explained epochs need not be evenly spread. */
export function StepSlider({ label, steps, row, marked = [], fits = [], onRow }: StepProps) {
  const last = steps[steps.length - 1];
  return (
    <div class="steps">
      <div class="track-box">
        <AlarmTicks marked={marked} />
        <FitTicks steps={steps} fits={fits} />
        <input
          type="range"
          aria-label={label}
          aria-valuetext={`epoch ${steps[row]}${marked[row] === true ? ", shortcut alarm" : ""}${fits.includes(steps[row]) ? ", a further fit begins" : ""}`}
          min={0}
          max={Math.max(steps.length - 1, 1)}
          step={1}
          value={row}
          disabled={steps.length < 2}
          onInput={(event) => onRow(event.currentTarget.valueAsNumber)}
        />
      </div>
      <output title="Counted from 0, as TensorBoard counts">
        epoch <b>{steps[row]}</b>
        {row === steps.length - 1 ? ", the newest" : `, newest ${last}`}
      </output>
    </div>
  );
}

/** Red under the slider's track wherever an alarm is on. */
function AlarmTicks({ marked }: { marked: readonly boolean[] }) {
  if (!marked.includes(true)) return null;
  const last = Math.max(marked.length - 1, 1);
  return (
    <span class="alarm-ticks" aria-hidden="true">
      {marked.map((on, row) => on && <i key={row} style={{ left: `${(row / last) * 100}%` }} />)}
    </span>
  );
}

/** A line between two fits of one callback, before the first epoch of the later one. */
function FitTicks({ steps, fits }: { steps: readonly number[]; fits: readonly number[] }) {
  const rows = fits.map((step) => steps.findIndex((each) => each >= step)).filter((row) => row > 0);
  if (rows.length === 0) return null;
  const last = Math.max(steps.length - 1, 1);
  return (
    <span class="fit-ticks" aria-hidden="true">
      {rows.map((row) => (
        <i key={row} style={{ left: `${((row - 0.5) / last) * 100}%` }} title={`A further fit begins at epoch ${steps[row]}`} />
      ))}
    </span>
  );
}

function togglePlaying(): void {
  playing.value = !playing.value;
  if (playing.value && currentRow.value === steps.value.length - 1) goToRow(0);
}

function usePlaying(): void {
  const on = playing.value;
  useEffect(() => {
    if (!on) return;
    const timer = window.setInterval(() => {
      goToRow(currentRow.value + 1);
      if (currentRow.value >= steps.value.length - 1) playing.value = false;
    }, FRAME_MS);
    return () => window.clearInterval(timer);
  }, [on]);
  useEffect(() => {
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

const MOVES: Readonly<Record<string, (row: number) => number>> = {
  ArrowLeft: (row) => row - 1,
  ArrowRight: (row) => row + 1,
  Home: () => 0,
  End: () => Infinity,
};

function onKey(event: KeyboardEvent): void {
  if (event.altKey || event.ctrlKey || event.metaKey || ownsKeys(event.target)) return;
  const move = MOVES[event.key];
  if (move !== undefined) goToRow(move(currentRow.value));
  else if (event.key === " " && !(event.target instanceof HTMLButtonElement)) togglePlaying();
  else return;
  event.preventDefault();
}

