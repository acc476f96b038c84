// The training images that the model's own features place nearest to a probe: what it learned from.
import { neighboursOf } from "../data/store.ts";
import type { ProbeInfo, RunManifest } from "../data/types.ts";
import { className } from "../model/snapshot.ts";
import { twoDecimals } from "../model/numbers.ts";
import { currentStep } from "../state/selection.ts";
import { useDated } from "./dated.ts";

/** Images up to this size are logged as they are. */
const SMALL = 48;

interface Props {
  run: string;
  probe: ProbeInfo;
  manifest: RunManifest;
}

/** Nothing where no training images were given. */
export function NearestImages({ run, probe, manifest }: Props) {
  const { value, problem } = useDated(neighboursOf, run, currentStep.value);
  const found = value?.byProbe.get(probe.id) ?? [];
  if (problem !== null) return <p class="problem">{problem}</p>;
  if (found.length === 0) return null;
  return (
    <section class="neighbours" aria-label="Nearest training images">
      <h3>Nearest training images, epoch {value?.step}</h3>
      <p class="muted">
        By the features before the model’s last layer, most alike first; 1 is the same. Where they share the scene
        and not the object, the model goes by the scene.
      </p>
      <ol>
        {found.map(({ label, similarity, picture }, place) => {
          const title = label === null ? "class not known" : className(manifest, label);
          const other = label !== null && probe.label !== null && label !== probe.label;
          return (
            <li key={place}>
              <img class={probe.width <= SMALL ? "coarse" : ""} src={picture} alt={`Training image, ${title}`} />
              <span class={other ? "cross" : ""}>{title}</span>
              <span class="muted">{twoDecimals(similarity)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
