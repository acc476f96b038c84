// Objects on other backgrounds: the pictures that changed the prediction most, with what the model said before and after.
import { useEffect, useRef } from "preact/hooks";
import { url } from "../data/api.ts";
import { swapsOf } from "../data/store.ts";
import type { ProbeInfo, RunManifest, SwapPair } from "../data/types.ts";
import { className } from "../model/snapshot.ts";
import { probability } from "../model/numbers.ts";
import { evidenceOf } from "../state/place.ts";
import { show } from "../state/selection.ts";
import { useDated } from "./dated.ts";

interface Props {
  run: string;
  manifest: RunManifest;
  /** The epoch looked at. */
  step: number;
}

export function Swaps({ run, manifest, step }: Props) {
  const { value: swaps, problem, none } = useDated(swapsOf, run, step);
  const section = useRef<HTMLElement>(null);
  const asked = evidenceOf.value === run;
  useEffect(() => {
    if (!asked || swaps === null) return;
    evidenceOf.value = null;
    section.current?.scrollIntoView({ block: "start" });
    section.current?.focus({ preventScroll: true });
  }, [asked, swaps]);
  return (
    <section ref={section} tabIndex={-1} class="card swaps" aria-label={`Swapped pictures of ${run}`}>
      <h3>Objects on other backgrounds{swaps?.step == null ? "" : `, epoch ${swaps.step}`}</h3>
      <p class="muted">
        Each object stands before the background of another class; a model that reads the object keeps its prediction. Shown
        are the changes it was surest of, one a class. Logged at ten epochs at most.
      </p>
      {problem !== null && <p class="problem">{problem}</p>}
      {swaps === null && problem === null && (
        <p class="muted">{none ? "No such pictures up to this epoch." : "On the way …"}</p>
      )}
      {swaps?.pairs.length === 0 && <p>No prediction changed, whatever the background.</p>}
      <ul class="swap-list">
        {worstFirst(swaps?.pairs ?? []).map((pair) => (
          <Pair key={pair.probe} run={run} manifest={manifest} pair={pair} step={swaps?.step ?? null} />
        ))}
      </ul>
    </section>
  );
}

/** Right before and wrong after first: these are what the shortcut costs. */
function worstFirst(pairs: readonly SwapPair[]): SwapPair[] {
  const rank = ({ label, before, after }: SwapPair): number => (label === null ? 1 : before === label ? 0 : after === label ? 2 : 1);
  return [...pairs].sort((a, b) => rank(a) - rank(b));
}

function Pair({ run, manifest, pair, step }: { run: string; manifest: RunManifest; pair: SwapPair; step: number | null }) {
  const known = (id: string): ProbeInfo | undefined => manifest.probes.find((probe) => probe.id === id);
  const name = pair.name ?? pair.probe;
  const ground = `on the background of ${known(pair.donor)?.name ?? pair.donor}`;
  const look = (known(pair.probe)?.width ?? 1) < 160 ? "coarse" : "";
  const panel = (src: string, place: string, predicted: number | null, value: number) => {
    const title = className(manifest, predicted);
    return (
      <figure>
        <img class={look} src={src} alt={`${name} ${place}, predicted ${title}`} title={place} />
        <figcaption>
          {place === ground ? "swapped" : place}: <b class={predicted === pair.label ? "tick" : "cross"}>{title}</b>{" "}
          <span class="nowrap">{probability(value)}</span>
        </figcaption>
      </figure>
    );
  };
  return (
    <li>
      <button
        class="link name"
        title={name}
        onClick={() => show({ page: "overview", run, probe: pair.probe, epoch: step })}
      >
        {name}
      </button>
      {pair.label !== null && <span class="muted">true class {className(manifest, pair.label)}</span>}
      <span class="swap-caption">
        {className(manifest, pair.before)} → before {known(pair.donor) === undefined ? "another" : className(manifest, known(pair.donor)!.label)}
        ’s background: <b>{className(manifest, pair.after)}</b>
      </span>
      {pair.label !== null && pair.before !== pair.label && pair.after === pair.label && (
        <span class="muted">Wrong before, right after: here it was the own background that misled the model.</span>
      )}
      <div class="swap-pair">
        {panel(url("picture", { run, probe: pair.probe }), "as it is", pair.before, pair.beforeValue)}
        {panel(pair.picture, ground, pair.after, pair.afterValue)}
      </div>
    </li>
  );
}
