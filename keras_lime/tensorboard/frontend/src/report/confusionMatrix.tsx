// Which classes are taken for which: rows by true class, columns by predicted class, mistakes darker the more they are.
import { percent } from "../model/numbers.ts";
import type { Confusions } from "./content.ts";

export function ConfusionMatrix({ confusions }: { confusions: Confusions | null }) {
  if (confusions === null) return null;
  const { names, images, counts, left } = confusions;
  const share = (row: number, column: number): number => {
    const of = images[row] as number;
    return of === 0 ? 0 : ((counts[row]?.[column] ?? 0) as number) / of;
  };
  const groups = names
    .flatMap((truth, row) =>
      names.map((taken, column) => ({ truth, taken, count: counts[row]?.[column] ?? 0, share: share(row, column) })),
    )
    .filter(({ truth, taken, count }) => truth !== taken && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 6);
  return (
    <section>
      <h2>Which classes are mistaken for which</h2>
      <ul>
        {groups.map(({ truth, taken, count, share: part }) => (
          <li key={`${truth} ${taken}`}>
            “{truth}” taken for “{taken}”: {count.toLocaleString("en")} ({percent(part)} of its images)
          </li>
        ))}
      </ul>
      <div class="scrolled">
        <table class="matrix">
          <caption class="muted">
            Rows: true class; columns: predicted class; the {names.length} classes with most mistakes
            {left > 0 && `; ${left.toLocaleString("en")} more lie between others`}.
          </caption>
          <thead>
            <tr>
              <td />
              {names.map((name) => (
                <th key={name} scope="col">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((truth, row) => (
              <tr key={truth}>
                <th scope="row">{truth}</th>
                {names.map((taken, column) => {
                  const count = counts[row]?.[column] ?? 0;
                  const strength = row === column ? 0 : Math.round(85 * Math.sqrt(share(row, column)));
                  return (
                    <td
                      key={taken}
                      class={row === column ? "hit" : count > 0 ? "miss" : ""}
                      style={{ "--strength": `${strength}%` }}
                      title={`${truth} taken for ${taken}: ${count}`}
                    >
                      {count === 0 ? "" : count.toLocaleString("en")}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
