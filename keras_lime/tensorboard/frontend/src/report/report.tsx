// The report's chapters and sections: sentences first, then tables, then pictures, then method and limits.
import { useMemo } from "preact/hooks";
import type { Chapter, PictureData, ReportData } from "./content.ts";
import { ClassTable } from "./classes.tsx";
import { Method } from "./method.tsx";
import { Legend } from "./thumbnail.tsx";
import { Figure } from "./figure.tsx";
import { ConfusionMatrix } from "./confusionMatrix.tsx";
import { CurvePlots } from "./curvePlots.tsx";
import { atEpoch, EpochSlider, useEpochs, type Epochs } from "./epochSlider.tsx";
import { Alarms, Runs } from "./runs.tsx";
import { Words } from "./visualWords.tsx";

export function Report({ data }: { data: ReportData }) {
  return (
    <>
      <header>
        <p class="kicker">What does the model look at?</p>
        <h1>{data.title}</h1>
        {data.subtitle !== "" && <p class="subtitle">{data.subtitle}</p>}
      </header>
      <Alarms alarms={data.alarms} />
      <Runs runs={data.runs} />
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
  const shown = useMemo(
    () => [...wrong.pictures, ...typical.flatMap(({ pictures }) => pictures)].map((index) => data.pictures[index]),
    [chapter, data],
  );
  // One epoch for all images of a run, whichever slider it is chosen with.
  const epochs = useEpochs(shown as readonly PictureData[]);
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
      <CurvePlots curves={chapter.curves} />
      {classes.length > 0 && <ClassTable classes={classes} score={chapter.score} />}
      {words.length > 0 && <Words classes={words} data={data} />}
      <ConfusionMatrix confusions={chapter.confusions} />
      <Pictures
        title="Mistakes"
        shown={wrong.count > 0}
        groups={[{ title: "", pictures: wrong.pictures }]}
        epochs={epochs}
        data={data}
      >
        {count(wrong.count, "image")} {wrong.count === 1 ? "is" : "are"} taken for another class.{" "}
        {wrong.pictures.length < wrong.count
          ? `The ${wrong.pictures.length} that the model is surest of are shown, the surest first.`
          : "The surest come first."}{" "}
        The colours say what spoke for the wrong class.
      </Pictures>
      <Pictures
        title={chapter.kind === "log" ? "The explained images" : "Typical images"}
        shown={typical.some(({ pictures }) => pictures.length > 0)}
        groups={typical}
        epochs={epochs}
        data={data}
      >
        {chapter.kind === "log"
          ? "The images that the training followed, with what spoke for the prediction at each epoch."
          : "Chosen so that few images show as much as possible of what the predictions rest on."}
      </Pictures>
      {failed.count > 0 && (
        <section>
          <h2>Images that could not be explained</h2>
          <p>
            {count(failed.count, "image")} of the data set could not be read or explained
            {failed.rows.length < failed.count ? `; the first ${failed.rows.length} are listed.` : "."}
          </p>
          <table class="plain">
            <thead>
              <tr>
                <th>image</th>
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
  epochs: Epochs;
  data: ReportData;
  children: preact.ComponentChildren;
}

function Pictures({ title, shown, groups, epochs, data, children }: PicturesProps) {
  if (!shown) return null;
  return (
    <section>
      <h2>{title}</h2>
      <p>{children}</p>
      <EpochSlider {...epochs} />
      <Legend palette={data.palette} />
      {groups.map((group) => (
        <div class="group" key={group.title}>
          {group.title !== "" && <h3>{group.title}</h3>}
          <div class="figures">
            {group.pictures.map((index) => (
              <Figure
                key={index}
                picture={atEpoch(data.pictures[index] as PictureData, epochs.epoch)}
                palette={data.palette}
              />
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
