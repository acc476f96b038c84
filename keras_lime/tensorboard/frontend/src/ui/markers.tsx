// Markers: the blocks off the object that carry predictions, each on its picture and cut out.
import { url } from "../data/api.ts";
import type { Marker, RunManifest } from "../data/types.ts";
import { className } from "../model/snapshot.ts";
import { probability } from "../model/numbers.ts";

interface Props {
  run: string;
  manifest: RunManifest;
  markers: readonly Marker[];
}

export function Markers({ run, manifest, markers }: Props) {
  return (
    <ul class="markers" aria-label={`Markers of ${run}`}>
      {markers.map((marker) => (
        <Block key={marker.probe} run={run} manifest={manifest} marker={marker} />
      ))}
    </ul>
  );
}

function Block({ run, manifest, marker }: { run: string; manifest: RunManifest; marker: Marker }) {
  const probe = manifest.probes.find(({ id }) => id === marker.probe);
  const [top, left, bottom, right] = marker.box;
  if (probe === undefined || bottom === undefined || right === undefined) return null;
  const { height, width } = probe;
  const source = url("picture", { run, probe: marker.probe });
  const predicted = className(manifest, marker.label);
  const picture = <image href={source} width={width} height={height} preserveAspectRatio="none" style={{ imageRendering: "pixelated" }} />;
  return (
    <li>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${marker.name ?? marker.probe}, predicted ${predicted}`}>
        {picture}
        <rect class="halo" x={left} y={top} width={right - left} height={bottom - top} />
        <rect x={left} y={top} width={right - left} height={bottom - top} />
      </svg>
      <svg
        viewBox={`${left} ${top} ${right - left} ${bottom - top}`}
        role="img"
        aria-label={`The block: rows ${top} to ${bottom}, columns ${left} to ${right}`}
      >
        {picture}
      </svg>
      <span>
        {predicted} <span class="nowrap">{probability(marker.strength)}</span>
      </span>
    </li>
  );
}
