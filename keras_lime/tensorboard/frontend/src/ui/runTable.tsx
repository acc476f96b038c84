// All runs in one sortable table: what a legend of many lines cannot tell.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { manifestOf, readableRuns, summaryOf } from "../data/store.ts";
import type { RunManifest, Summary } from "../data/types.ts";
import { alarmAt, stateOf } from "../model/alarms.ts";
import { isNumber, percent, percentWithError, twoDecimals } from "../model/numbers.ts";
import { rowAt } from "../model/snapshot.ts";
import { chartedNames, setRunVisible, show, view } from "../state/selection.ts";
import { runFilter } from "../state/runFilter.ts";
import { runColour } from "./colours.ts";
import { Icon } from "./icons.tsx";
import { useVisible } from "./useVisible.ts";

interface Column {
  readonly title: string;
  readonly value: (summary: Summary, row: number) => number;
  readonly text: (summary: Summary, row: number, manifest: RunManifest | null) => string;
}

const COLUMNS: readonly Column[] = [
  {
    title: "Alarm since",
    value: (summary, row) => alarmAt(summary, summary.steps[row])?.began ?? NaN,
    text: (summary, row, manifest) => {
      const alarm = alarmAt(summary, summary.steps[row]);
      if (alarm !== null) return `epoch ${alarm.began}`;
      return manifest === null ? "not tested" : stateOf(manifest, summary, row);
    },
  },
  {
    title: "Reliance",
    value: ({ overall }, row) => overall.reliance[row],
    text: ({ overall, errors }, row) => percentWithError(overall.reliance[row], errors.reliance?.[row]),
  },
  {
    title: "Swap flip",
    value: ({ overall }, row) => overall.swap_flip[row],
    text: ({ overall, errors }, row) => percentWithError(overall.swap_flip[row], errors.swap_flip?.[row]),
  },
  {
    title: "Object share",
    value: ({ overall }, row) => overall.object_share[row],
    text: ({ overall }, row) => percent(overall.object_share[row]),
  },
  {
    title: "Predicted right",
    value: ({ overall }, row) => overall.accuracy[row],
    text: ({ overall }, row) => percent(overall.accuracy[row]),
  },
  { title: "R²", value: ({ overall }, row) => overall.r2[row], text: ({ overall }, row) => twoDecimals(overall.r2[row]) },
];

export function RunTable() {
  const order = useSignal<{ column: number; falling: boolean } | null>(null);
  const names = readableRuns.value.map(({ run }) => run).filter((run) => runFilter.value.matches(run));
  if (readableRuns.value.length < 2) return null;
  const sort = (column: number): void => {
    const now = order.value;
    order.value = { column, falling: now?.column === column ? !now.falling : true };
  };
  return (
    <section class="card run-table" aria-label="Numbers of the runs">
      <h3>Runs</h3>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Table of runs">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              {COLUMNS.map(({ title }, column) => (
                <th key={title} scope="col" aria-sort={ariaSort(order.value, column)}>
                  <button class="link" onClick={() => sort(column)}>
                    {title}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted(names, order.value).map((run) => (
              <Row key={run} run={run} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

type Order = { column: number; falling: boolean } | null;

function ariaSort(order: Order, column: number): "ascending" | "descending" | "none" {
  if (order?.column !== column) return "none";
  return order.falling ? "descending" : "ascending";
}

/** Runs without the number, or whose summary is on the way, come last. */
function sorted(names: readonly string[], order: Order): readonly string[] {
  if (order === null) return names;
  const key = (run: string): number => {
    const summary = summaryOf(run).value.value;
    return summary === null ? NaN : COLUMNS[order.column].value(summary, rowAt(summary.steps, view.epoch));
  };
  const keys = new Map(names.map((run) => [run, key(run)]));
  return [...names].sort((a, b) => {
    const [left, right] = [keys.get(a)!, keys.get(b)!];
    if (!isNumber(left) || !isNumber(right)) return Number(!isNumber(left)) - Number(!isNumber(right));
    return order.falling ? right - left : left - right;
  });
}

function Row({ run }: { run: string }) {
  const element = useRef<HTMLTableRowElement>(null);
  setRunVisibleSoon(run, useVisible(element));
  const summary = summaryOf(run).value.value;
  const row = summary === null ? -1 : rowAt(summary.steps, view.epoch);
  const on = summary !== null && row >= 0 && alarmAt(summary, summary.steps[row]) !== null;
  return (
    <tr ref={element} class={chartedNames.value.includes(run) ? "" : "muted"}>
      <th scope="row">
        <i class="dot" style={{ background: runColour(run) }} />{" "}
        <button class="link" onClick={() => show({ page: "overview", run, probe: null })}>
          {run}
        </button>
      </th>
      {COLUMNS.map(({ title, text }, index) => (
        <td key={title} class={on && index === 0 ? "cross" : ""}>
          {on && index === 0 && <Icon name="warning" />} {summary === null || row < 0 ? "…" : text(summary, row, manifestOf(run))}
        </td>
      ))}
    </tr>
  );
}

/** Signals must not change while a component is drawn. */
function setRunVisibleSoon(run: string, visible: boolean): void {
  queueMicrotask(() => setRunVisible(run, visible));
}
