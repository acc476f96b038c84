// One picture on a canvas: with its weights, which the pointer reads, or with one superpixel standing out.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { drawOverlay, OPACITY, OUTLINED, PALETTES, type Drawing, type PaletteName, type LabelledPicture } from "../draw/overlay.ts";
import { isFaint, signed } from "../model/numbers.ts";
import { drawSoon, labelledOf } from "./labelledPictures.ts";
import type { PictureData } from "./content.ts";

const DRAWING: Drawing = {
  positive: true,
  negative: true,
  numFeatures: null,
  minWeight: 0,
  opacity: OPACITY,
  scale: null,
  palette: "green-red",
  boundaries: false,
  ground: "grey",
  outlined: OUTLINED,
  hideRest: false,
  style: "fill",
};

interface Props {
  picture: PictureData;
  palette: PaletteName;
  /** null: all weights. */
  segment: number | null;
  label: string;
}

export function Thumbnail({ picture, palette, segment, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const labelled = useRef<LabelledPicture | null>(null);
  const [pointed, setPointed] = useState<{ segment: number; x: number; y: number } | null>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    return drawSoon(element, async () => {
      labelled.current = await labelledOf(picture);
      paint(element, labelled.current, picture, segment, palette);
    });
  }, [picture, segment, palette]);
  const point = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const column = Math.floor((x / box.width) * picture.width);
    const row = Math.floor((y / box.height) * picture.height);
    const under = labelled.current?.labels[row * picture.width + column];
    setPointed(under === undefined ? null : { segment: under, x: x / box.width, y: y / box.height });
  };
  return (
    <div class="thumbnail">
      <canvas
        ref={canvas}
        class={Math.max(picture.width, picture.height) < 160 ? "coarse" : ""}
        width={picture.width}
        height={picture.height}
        role="img"
        aria-label={label}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setPointed(null)}
      />
      {pointed !== null && (
        <span class="tip" role="status" style={{ left: `${pointed.x * 100}%`, top: `${pointed.y * 100}%` }}>
          {described(picture, pointed.segment)}
        </span>
      )}
    </div>
  );
}

function described({ weights, stderr }: PictureData, segment: number): string {
  const weight = weights[segment];
  const error = stderr?.[segment] ?? null;
  if (weight === undefined) return "";
  const spread = error === null ? "" : ` ± ${signed(2 * error).slice(1)}`;
  return `weight ${signed(weight)}${spread}${isFaint(weight, error) ? ", indistinguishable from zero" : ""}`;
}

function paint(
  canvas: HTMLCanvasElement,
  labelled: LabelledPicture,
  { weights }: PictureData,
  segment: number | null,
  palette: PaletteName,
): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(labelled.width, labelled.height);
  if (segment === null) drawOverlay(labelled, weights, { ...DRAWING, palette }, image.data);
  else highlight(labelled, segment, palette, image.data);
  context.putImageData(image, 0, 0);
}

/** The superpixel as it is, with a rim; the rest of the picture pale. */
function highlight(labelled: LabelledPicture, segment: number, palette: PaletteName, out: Uint8ClampedArray): void {
  const rgba = labelled.rgba.slice();
  for (let pixel = 0; pixel < labelled.labels.length; pixel++) {
    if (labelled.labels[pixel] === segment) continue;
    for (let channel = 0; channel < 3; channel++) {
      const at = pixel * 4 + channel;
      rgba[at] = 0.35 * rgba[at] + 0.65 * 225;
    }
  }
  const alone = new Float32Array(labelled.count);
  alone[segment] = 1;
  drawOverlay({ ...labelled, rgba }, alone, { ...DRAWING, palette, ground: "picture", style: "outline" }, out);
}

/** The colours in words and as patches, for the legend. */
export function Legend({ palette }: { palette: PaletteName }) {
  const [supporting, opposing] = PALETTES[palette].map((rgb) => `rgb(${rgb.join(" ")})`);
  return (
    <p class="legend">
      <i style={{ background: supporting }} /> speaks for the predicted class
      <i style={{ background: opposing }} /> speaks against it
      <span class="muted">the stronger the colour, the more; point at an image to read the weights</span>
    </p>
  );
}
