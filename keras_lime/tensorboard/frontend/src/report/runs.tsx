// What a reader of logs looks at first: alarms, then the runs beside each other, each number with its error.
import { useState } from "preact/hooks";
import { decimal, percent } from "../model/numbers.ts";
import type { ReportData, RunRow } from "./content.ts";

export function Alarms({ alarms }: { alarms: ReportData["alarms"] }) {
  if (alarms.length === 0) return null;
  return (
    <section class="alarms" role="alert" aria-label="Alarms">
      <h2>{alarms.length === 1 ? "Shortcut alarm" : `${alarms.length} shortcut alarms`}</h2>
      <ul>
        {alarms.map(({ run, epoch, sentence }) => (
          <li key={`${run} ${epoch} ${sentence}`}>
            <b>
              {run !== null && <>{run}, </>}since epoch {epoch}:
            </b>{" "}
            {sentence}
          </li>
        ))}
      </ul>
    </section>
  );
}

type Column = "name" | "alarm" | "accuracy" | "reliance" | "swap_flip" | "object_share" | "r2";

const COLUMNS: readonly (readonly [Column, string])[] = [
  ["name", "run"],
  ["alarm", "alarm"],
  ["accuracy", "right"],
  ["reliance", "predictions that follow the background"],
  ["swap_flip", "predictions that change"],
  ["object_share", "evidence on the object"],
  ["r2", "R²"],
];

export function Runs({ runs }: { runs: readonly RunRow[] }) {
  const [column, setColumn] = useState<Column>("name");
  const [falling, setFalling] = useState(false);
  if (runs.length < 2) return null;
  const sorted = [...runs].sort((a, b) => (falling ? -1 : 1) * compare(a[column], b[column]));
  const sortBy = (chosen: Column): void => {
    setFalling(chosen === column ? !falling : chosen !== "name");
    setColumn(chosen);
  };
  return (
    <section>
      <h2>Runs</h2>
      <p>Each at its newest logged epoch; ± one standard error over the images.</p>
      <table class="runs">
        <thead>
          <tr>
            {COLUMNS.map(([name, title]) => (
              <th key={name} aria-sort={name !== column ? "none" : falling ? "descending" : "ascending"}>
                <button type="button" onClick={() => sortBy(name)}>
                  {title}
                  {name === column && (falling ? " ▾" : " ▴")}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              <td class={row.alarm === null ? "muted" : "wrong"}>
                {row.alarm === null ? (row.status ?? "–") : `since epoch ${row.alarm}`}
              </td>
              <td>{percent(row.accuracy)}</td>
              <td>{spread(row.reliance, row.reliance_stderr)}</td>
              <td>{spread(row.swap_flip, row.swap_flip_stderr)}</td>
              <td>
                {spread(row.object_share, row.object_share_stderr)}
                {row.object_chance !== null && <span class="muted"> (chance {percent(row.object_chance)})</span>}
              </td>
              <td>{decimal(row.r2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function spread(value: number | null, error: number | null): string {
  return value === null || error === null ? percent(value) : `${percent(value)} ± ${percent(error)}`;
}

/** Rising; what is not known comes last. */
function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
