// The strongest superpixels as bars from zero to either side, with two standard errors as whiskers.
import type { Signal } from "@preact/signals";
import { PALETTES, type Drawing } from "../draw/overlay.ts";
import type { RunManifest } from "../data/types.ts";
import { segmentSentences } from "../model/diagnostics.ts";
import type { Explained } from "../model/snapshot.ts";
import { isFaint, isNumber, percent, signed } from "../model/numbers.ts";

interface Props {
  manifest: RunManifest;
  explained: Explained;
  segments: readonly number[];
  /** Weight at the end of the axis. */
  scale: number;
  drawing: Drawing;
  objectFraction: Float32Array | null;
  colourOf: (segment: number) => string | null;
  pointed: Signal<number | null>;
}

export function Bars({ manifest, explained, segments, scale, drawing, objectFraction, colourOf, pointed }: Props) {
  if (segments.length === 0) return <p class="muted">No superpixel has a weight that the controls let through.</p>;
  return (
    <ul class="bars" aria-label="Strongest superpixels" onPointerLeave={() => (pointed.value = null)}>
      {segments.map((segment) => (
        <Bar
          key={segment}
          segment={segment}
          weight={explained.weights[segment]}
          stderr={explained.stderr?.[segment] ?? null}
          scale={scale}
          drawing={drawing}
          fraction={objectFraction?.[segment] ?? null}
          colour={colourOf(segment)}
          doubts={segmentSentences(manifest, explained, segment)}
          pointed={pointed}
        />
      ))}
    </ul>
  );
}

interface BarProps {
  segment: number;
  weight: number;
  stderr: number | null;
  scale: number;
  drawing: Drawing;
  fraction: number | null;
  colour: string | null;
  doubts: readonly string[];
  pointed: Signal<number | null>;
}

function Bar({ segment, weight, stderr, scale, drawing, fraction, colour, doubts, pointed }: BarProps) {
  const [supporting, opposing] = PALETTES[drawing.palette];
  const tint = `rgb(${(weight > 0 ? supporting : opposing).join(" ")})`;
  const at = (value: number): number => 50 + 50 * Math.max(-1, Math.min(1, value / scale));
  const [from, to] = [Math.min(at(0), at(weight)), Math.max(at(0), at(weight))];
  const known = isNumber(stderr);
  const faint = isFaint(weight, stderr);
  const described = [
    `superpixel ${segment}: weight ${signed(weight)}`,
    known ? ` ± ${signed(2 * stderr).slice(1)} (two standard errors)` : "",
    faint ? ", not to be told from zero" : "",
    fraction === null ? "" : `, ${percent(fraction)} of it on the object`,
    ...doubts.map((doubt) => `. ${doubt}`),
  ].join("");
  return (
    <li>
      <button
        class={`bar${faint ? " faint" : ""}${pointed.value === segment ? " pointed" : ""}`}
        data-segment={segment}
        aria-label={described}
        title={described}
        onPointerEnter={() => (pointed.value = segment)}
        onFocus={() => (pointed.value = segment)}
        onBlur={() => (pointed.value = null)}
      >
        <i class="dot" style={{ background: colour ?? "transparent" }} />
        <span class="id">{segment}</span>
        <span class="track">
          <i class="fill" style={{ left: `${from}%`, width: `${to - from}%`, background: tint }} />
          {known && (
            <i
              class="whisker"
              style={{
                left: `${at(weight - 2 * stderr)}%`,
                width: `${at(weight + 2 * stderr) - at(weight - 2 * stderr)}%`,
              }}
            />
          )}
        </span>
        <span class="value">
          {doubts.length > 0 && <b class="unsure-mark">±</b>}
          {signed(weight)}
        </span>
      </button>
    </li>
  );
}
