// The table of classes by shortcut score; long ones are cut, and searched.
import { useState } from "preact/hooks";
import { percent } from "../model/numbers.ts";
import type { Chapter, ClassRow } from "./content.ts";

const FEW = 15;

/** Of fewer images predicted as a class, nothing found says nothing; see FEWEST_FOR_NO in Python. */
const FEW_PREDICTIONS = 20;

const SCORES: Record<"swap_flip" | "words" | "object", [string, string]> = {
  swap_flip: [
    "predictions that change",
    "The score is the share of the predictions that change when the object is put before the backgrounds of other " +
      "classes. A model that reads objects stays near 0, and a weak one changes its mind on any new background.",
  ],
  words: [
    "evidence in its surroundings",
    "The score is the share of what speaks for the class that lies in suspicious surroundings: off the object, and " +
      "seen with this class rather than with others. Where the object is was estimated, or taken from masks.",
  ],
  object: [
    "evidence on the object",
    "The share of what speaks for the class that lies on the object. Compare it with the share of the image that the " +
      "object covers.",
  ],
};

export function ClassTable({ classes, score }: { classes: readonly ClassRow[]; score: Chapter["score"] }) {
  const [all, setAll] = useState(false);
  const [wanted, setWanted] = useState("");
  const fits = classes.filter(({ name }) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  const shown = all || wanted !== "" ? fits : fits.slice(0, FEW);
  const object = score !== "object" && classes.some(({ object_share }) => object_share !== null);
  const counted = classes.some(({ images }) => images !== null);
  const [title, explained] = SCORES[score ?? "object"];
  return (
    <section>
      <h2>Classes{score === "object" ? "" : ", the most doubtful first"}</h2>
      <p>{explained}</p>
      {classes.length > FEW && (
        <p class="controls">
          <input
            type="search"
            placeholder="Find a class"
            aria-label="Find a class"
            value={wanted}
            onInput={(event) => setWanted((event.currentTarget as HTMLInputElement).value)}
          />
          <button type="button" onClick={() => setAll(!all)}>
            {all ? `Show the first ${FEW}` : `Show all ${classes.length.toLocaleString("en")} classes`}
          </button>
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th>class</th>
            <th class="wide">{title}</th>
            <th class="number">right</th>
            {counted && <th class="number">images</th>}
            {object && <th class="number">evidence on the object</th>}
            {object && <th class="number">object covers</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={`${index} ${row.name}`}>
              <th scope="row">
                {row.name}
                {row.predictions !== null && row.predictions < FEW_PREDICTIONS && (
                  <span class="muted few"> {row.predictions === 1 ? "1 prediction" : `${row.predictions} predictions`}</span>
                )}
              </th>
              <td class="wide">
                <Meter row={row} score={score} />
              </td>
              <td class="number">{percent(row.accuracy)}</td>
              {counted && <td class="number">{row.images?.toLocaleString("en") ?? "–"}</td>}
              {object && <td class="number">{percent(row.object_share)}</td>}
              {object && <td class="number">{percent(row.object_chance)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < fits.length && <p class="muted">{(fits.length - shown.length).toLocaleString("en")} more classes.</p>}
      {shown.length === 0 && <p class="muted">No class has such a name.</p>}
    </section>
  );
}

function Meter({ row, score }: { row: ClassRow; score: Chapter["score"] }) {
  if (row.score === null) return <span class="muted">{row.status ?? "not measured"}{row.reason !== null && `: ${row.reason}`}</span>;
  const high = score === "object" ? "calm" : row.score > 0.25 ? "high" : "calm";
  return (
    <span class="meter">
      <span class="track">
        <i class={high} style={{ width: `${100 * Math.min(1, row.score)}%` }} />
      </span>
      <b>{percent(row.score)}</b>
      {row.stderr !== null && <span class="muted">± {percent(row.stderr)}</span>}
    </span>
  );
}
