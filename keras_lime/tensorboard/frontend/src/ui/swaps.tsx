// Objects on other backgrounds: the pictures that changed the prediction most, with what the model said before and after.
import { useEffect } from "preact/hooks";
import { url } from "../data/api.ts";
import { growthOf, retries, sessionOf, swapsOf, URGENCY } from "../data/store.ts";
import type { RunManifest, SwapPair } from "../data/types.ts";
import { className, rowAt } from "../model/moment.ts";
import { probability } from "../model/numbers.ts";
import { show } from "../state/app.ts";

interface Props {
  run: string;
  manifest: RunManifest;
  /** The epoch looked at. */
  step: number;
}

export function Swaps({ run, manifest, step }: Props) {
  const newest = swapsOf(run, null);
  const growth = growthOf(run);
  const retry = retries.value;
  useEffect(() => void newest.ensure(growth, URGENCY.visible), [newest, growth, retry]);
  const known = newest.value.value;
  // Few epochs have pictures: one request for each of them, however often the slider moves.
  const wanted = known?.steps[rowAt(known.steps, step)] ?? null;
  const own = swapsOf(run, wanted);
  const session = sessionOf(run);
  useEffect(() => {
    if (wanted !== null) void own.ensure(session, URGENCY.visible);
  }, [own, wanted, session, retry]);
  const swaps = wanted === null ? null : own.value.value;
  const problem = newest.error.value ?? own.error.value;
  return (
    <section class="card swaps" aria-label={`Swapped pictures of ${run}`}>
      <h3>Objects on other backgrounds{swaps?.step == null ? "" : `, epoch ${swaps.step}`}</h3>
      <p class="muted">
        Each object, its own pixels, stands before the background of a picture of another class. A model that reads the object
        keeps its prediction. Shown are the changes between the surest predictions, one a class; pictures are logged at ten
        epochs at most.
      </p>
      {problem !== null && <p class="problem">{problem}</p>}
      {swaps === null && problem === null && (
        <p class="muted">{known === null ? "On the way …" : wanted === null ? "No such pictures up to this epoch." : "On the way …"}</p>
      )}
      {swaps !== null && swaps.pairs.length === 0 && <p>No prediction changed, whatever the background.</p>}
      {swaps !== null && swaps.pairs.length > 0 && (
        <ul class="swap-list">
          {swaps.pairs.map((pair) => (
            <Pair key={`${pair.probe} ${pair.donor}`} run={run} manifest={manifest} pair={pair} step={swaps.step} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Pair({ run, manifest, pair, step }: { run: string; manifest: RunManifest; pair: SwapPair; step: number | null }) {
  const nameOf = (id: string): string => manifest.probes.find((probe) => probe.id === id)?.name ?? id;
  const [before, after] = [className(manifest, pair.before), className(manifest, pair.after)];
  const name = pair.name ?? nameOf(pair.probe);
  const size = manifest.probes.find(({ id }) => id === pair.probe);
  const look = (size?.width ?? 1) < 160 ? "coarse" : "";
  return (
    <li>
      <button type="button" class="link name" title={`Show ${name}`} onClick={() => show({ page: "overview", run, probe: pair.probe, epoch: step })}>
        {name}
      </button>
      {pair.label !== null && <span class="muted">true class {className(manifest, pair.label)}</span>}
      <div class="swap-pair">
        <figure>
          <img class={look} src={url("picture", { run, probe: pair.probe })} alt={`${name} as it is, predicted ${before}`} />
          <figcaption>
            as it is: <b>{before}</b> {probability(pair.beforeValue)}
          </figcaption>
        </figure>
        <figure>
          <img class={look} src={pair.picture} alt={`${name} on the background of ${nameOf(pair.donor)}, predicted ${after}`} />
          <figcaption title={`background of ${nameOf(pair.donor)}`}>
            swapped: <b class="cross">{after}</b> {probability(pair.afterValue)}
          </figcaption>
        </figure>
      </div>
    </li>
  );
}
