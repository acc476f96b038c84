// What speaks for each class, in visual words with examples.
import { percent, points } from "../model/numbers.ts";
import { Thumbnail } from "./thumbnail.tsx";
import type { ClassWords, Proof, ReportData, Word } from "./content.ts";

export function Words({ classes, data }: { classes: readonly ClassWords[]; data: ReportData }) {
  const pictured = classes.filter(({ words }) => words.some(({ examples }) => examples.length > 0));
  const others = classes.filter((each) => !pictured.includes(each));
  const measured = classes.some(({ words }) => words.some((word) => word.measured));
  return (
    <section>
      <h2>What speaks for each class</h2>
      <p>
        The superpixels of all images are sorted into groups that look alike, and what speaks for a class is added up over
        each group. A group stands first and is marked where it lies off the object and goes with this class alone: then
        the model may know the class by its surroundings. Such a group is proved by pasting: its patches, and all that is
        around the class's objects, must raise the probability of the class in images of other classes, and more than
        random patches of the same size and place do.{" "}
        {measured
          ? "Where the objects are is known from masks."
          : "Without masks, what touches the edge of the image as often as any surface does counts as surroundings."}
      </p>
      {pictured.map((each, index) => (
        <OneClass key={`${index} ${each.name}`} each={each} data={data} />
      ))}
      {others.length > 0 && (
        <details>
          <summary>{others.length.toLocaleString("en")} more classes, without images</summary>
          <ul class="rest">
            {others.map(({ name, words }, index) => (
              <li key={`${index} ${name}`}>
                <b>{name}</b>: {words.map(sentence).join("; ")}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function sentence({ share, description, proof }: Word): string {
  return `${percent(share)} ${description}${proof === null ? "" : ` (suspicious, ${proof.status})`}`;
}

const HEADLINES: Record<Proof["status"], string> = {
  proved: "Proved by pasting",
  "not proved": "Not proved by pasting, and so no accusation",
  "not tested": "Not tested by pasting",
};

function Pasting({ proof }: { proof: Proof }) {
  const measured = proof.pull !== null;
  return (
    <div class="proof">
      <p>
        <b>{HEADLINES[proof.status]}</b>
        {measured
          ? `: in images of other classes its patches change the probability of this class by ${points(proof.pull)}, random ` +
            `patches of the same size and place by ${points(proof.random)} (${proof.images} images); all that is around the ` +
            `objects changes it by ${points(proof.around)}, other surroundings by ${points(proof.aroundRandom)}.` +
            (proof.reason === null ? "" : ` It is ${proof.reason}.`)
          : `: ${proof.reason}.`}
      </p>
      {proof.picture !== null && (
        <figure>
          <img src={proof.picture} alt="An image of another class with a patch of this group, and with a random patch" />
          <figcaption>An image of another class: with a patch of this group, and with a random one.</figcaption>
        </figure>
      )}
    </div>
  );
}

function OneClass({ each, data }: { each: ClassWords; data: ReportData }) {
  const suspicious = each.words.some((word) => word.suspicious);
  return (
    <div class={`class-words${suspicious ? " suspicious" : ""}`}>
      <h3>
        {each.name}
        <span class="muted">
          {" "}
          {each.predictions.toLocaleString("en")} {each.predictions === 1 ? "prediction" : "predictions"}
        </span>
        {suspicious && <span class="mark">suspicious surroundings</span>}
      </h3>
      {suspicious && (
        <p>
          The surroundings marked below are in {percent(each.presence)} of the images taken for “{each.name}” and in{" "}
          {percent(each.presence_elsewhere)} of the others.
        </p>
      )}
      <ul class="words">
        {each.words.map((word) => (
          <li key={word.description + word.share} class={word.suspicious ? "word suspicious" : "word"}>
            <div class="said">
              <b>{percent(word.share)}</b>
              <span class="bar">
                <i style={{ width: `${100 * word.share}%` }} />
                <u style={{ left: `${100 * Math.min(1, word.area)}%` }} />
              </span>
              <span class="looks">
                <i class="patch" style={{ background: word.colour }} />
                {word.description}
              </span>
              <span class="muted">
                covers {percent(word.area)} of the images; {percent(word.off_object)} of it off the object
                {word.measured ? "" : " (estimated)"}
                {word.exclusivity === null ? "" : `; goes with this class alone: ${percent(word.exclusivity)}`}
              </span>
            </div>
            <div class="examples">
              {word.examples.map(([index, segment]) => (
                <Thumbnail
                  key={index}
                  picture={data.pictures[index]}
                  palette={data.palette}
                  segment={segment}
                  label={`${word.description}, in ${data.pictures[index].name}`}
                />
              ))}
            </div>
            {word.proof !== null && <Pasting proof={word.proof} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
