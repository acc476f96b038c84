// The report's chapters and sections: sentences first, then tables, then pictures, then method and limits.
import type { Chapter, PictureData, ReportData } from "./content.ts";
import { ClassTable } from "./classes.tsx";
import { Method } from "./method.tsx";
import { Legend } from "./thumbnail.tsx";
import { Figure } from "./figure.tsx";
import { Words } from "./visualWords.tsx";

export function Report({ data }: { data: ReportData }) {
  return (
    <>
      <header>
        <p class="kicker">What does the model look at?</p>
        <h1>{data.title}</h1>
        {data.subtitle !== "" && <p class="subtitle">{data.subtitle}</p>}
      </header>
      {data.chapters.map((chapter) => (
        <ChapterView key={chapter.title} chapter={chapter} data={data} />
      ))}
      <Method kinds={new Set(data.chapters.map(({ kind }) => kind))} palette={data.palette} />
    </>
  );
}

function ChapterView({ chapter, data }: { chapter: Chapter; data: ReportData }) {
  const [first, ...others] = chapter.findings;
  const { typical, wrong, failed, words, classes } = chapter;
  return (
    <article>
      {chapter.title !== null && <h2 class="chapter">{chapter.title}</h2>}
      <section class="short" aria-label="In short">
        <h2>In short</h2>
        <p class="lead">{first}</p>
        <ul>
          {others.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        <dl class="facts">
          {chapter.facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {classes.length > 0 && <ClassTable classes={classes} score={chapter.score} />}
      {words.length > 0 && <Words classes={words} data={data} />}
      <Pictures
        title="Mistakes"
        shown={wrong.count > 0}
        groups={[{ title: "", pictures: wrong.pictures }]}
        data={data}
      >
        {count(wrong.count, "picture")} {wrong.count === 1 ? "is" : "are"} taken for another class.{" "}
        {wrong.pictures.length < wrong.count
          ? `The ${wrong.pictures.length} that the model is surest of are shown, the surest first.`
          : "The surest come first."}{" "}
        The colours say what spoke for the wrong class.
      </Pictures>
      <Pictures
        title={chapter.kind === "log" ? "The explained pictures" : "Typical pictures"}
        shown={typical.some(({ pictures }) => pictures.length > 0)}
        groups={typical}
        data={data}
      >
        {chapter.kind === "log"
          ? "The pictures that the training followed, as the model sees them at the last logged epoch."
          : "Chosen so that few pictures show as much as possible of what the predictions rest on."}
      </Pictures>
      {failed.count > 0 && (
        <section>
          <h2>Pictures that could not be explained</h2>
          <p>
            {count(failed.count, "picture")} of the data set could not be read or explained
            {failed.rows.length < failed.count ? `; the first ${failed.rows.length} are listed.` : "."}
          </p>
          <table class="plain">
            <thead>
              <tr>
                <th>picture</th>
                <th>why</th>
              </tr>
            </thead>
            <tbody>
              {failed.rows.map(({ name, error }) => (
                <tr key={name}>
                  <td class="file">{name}</td>
                  <td>{error}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </article>
  );
}

interface PicturesProps {
  title: string;
  shown: boolean;
  groups: Chapter["typical"];
  data: ReportData;
  children: preact.ComponentChildren;
}

function Pictures({ title, shown, groups, data, children }: PicturesProps) {
  if (!shown) return null;
  return (
    <section>
      <h2>{title}</h2>
      <p>{children}</p>
      <Legend palette={data.palette} />
      {groups.map((group) => (
        <div class="group" key={group.title}>
          {group.title !== "" && <h3>{group.title}</h3>}
          <div class="figures">
            {group.pictures.map((index) => (
              <Figure key={index} picture={data.pictures[index] as PictureData} palette={data.palette} />
            ))}
          </div>
        </div>
      ))}
    </section>
  );
}

export function count(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}
