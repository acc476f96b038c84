// A canvas that shows a probe with weights over it, redrawn when weights, controls or the picture change.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Explained } from "../model/moment.ts";
import { marksOf } from "../model/trust.ts";
import { drawOverlay, type Drawing, type Marks, type Sheet } from "../draw/overlay.ts";

interface Props {
  sheet: Sheet;
  /** null: the picture alone. */
  weights: ArrayLike<number> | null;
  marks?: Marks | null;
  drawing: Drawing;
  label: string;
  onPoint?: (segment: number | null) => void;
}

export function Picture({ sheet, weights, marks = null, drawing, label, onPoint }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current !== null) paint(canvas.current, sheet, weights, marks, drawing);
  }, [sheet, weights, marks, drawing]);
  return (
    <canvas
      ref={canvas}
      class={sheet.width < 160 ? "picture coarse" : "picture"}
      width={sheet.width}
      height={sheet.height}
      role="img"
      aria-label={label}
      onPointerMove={onPoint && ((event) => onPoint(segmentUnder(event, sheet)))}
      onPointerLeave={onPoint && (() => onPoint(null))}
    />
  );
}

export function paint(
  canvas: HTMLCanvasElement,
  sheet: Sheet,
  weights: ArrayLike<number> | null,
  marks: Marks | null,
  drawing: Drawing,
): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(sheet.width, sheet.height);
  if (weights === null) image.data.set(sheet.rgba);
  else drawOverlay(sheet, weights, drawing, image.data, marks);
  context.putImageData(image, 0, 0);
}

function segmentUnder(event: PointerEvent, sheet: Sheet): number | null {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const x = Math.floor(((event.clientX - box.left) / box.width) * sheet.width);
  const y = Math.floor(((event.clientY - box.top) / box.height) * sheet.height);
  const inside = x >= 0 && y >= 0 && x < sheet.width && y < sheet.height;
  return inside ? sheet.labels[y * sheet.width + x] : null;
}

/** An explanation, or the picture alone where there is none. */
export function ExplainedPicture({ explained, ...rest }: Omit<Props, "weights" | "marks"> & { explained: Explained | null }) {
  const marks = explained === null ? null : marksOf(explained);
  return <Picture {...rest} weights={explained?.weights ?? null} marks={marks} />;
}
