// One slider over the tiles of a run: each image with the weights that it had at an epoch.
import { useMemo, useState } from "preact/hooks";
import type { PictureData } from "./content.ts";

export interface Epochs {
  /** All epochs at which an image was explained, rising. */
  readonly epochs: readonly number[];
  readonly epoch: number | null;
  readonly choose: (epoch: number) => void;
}

export function useEpochs(pictures: readonly PictureData[]): Epochs {
  const epochs = useMemo(
    () => [...new Set(pictures.flatMap(({ epochs: own }) => own?.epochs ?? []))].sort((a, b) => a - b),
    [pictures],
  );
  const [epoch, choose] = useState<number | null>(epochs[epochs.length - 1] ?? null);
  return { epochs, epoch, choose };
}

export function EpochSlider({ epochs, epoch, choose }: Epochs) {
  if (epoch === null || epochs.length < 2) return null;
  return (
    <p class="slider">
      <label>
        epoch <b>{epoch}</b>
        <input
          type="range"
          min={0}
          max={epochs.length - 1}
          value={epochs.indexOf(epoch)}
          aria-valuetext={`epoch ${epoch}`}
          onInput={(event) => choose(epochs[Number((event.currentTarget as HTMLInputElement).value)] as number)}
        />
      </label>
      <span class="muted">
        {epochs.length} epochs; arrow keys move by one
      </span>
    </p>
  );
}

/** A picture as it was at an epoch, or the last one before it; itself where there is nothing to choose from. */
export function atEpoch(picture: PictureData, epoch: number | null): PictureData {
  const own = picture.epochs;
  if (own === null || epoch === null) return picture;
  let row = 0;
  while (row + 1 < own.epochs.length && (own.epochs[row + 1] as number) <= epoch) row++;
  if (row === own.epochs.length - 1) return picture;
  return {
    ...picture,
    predicted: own.predicted[row] ?? null,
    value: own.values[row] ?? null,
    target: own.targets[row] ?? picture.target,
    r2: own.r2[row] ?? null,
    weights: weightsAt(own.weights, own.scale, row, picture.weights.length),
    stderr: null,
  };
}

function weightsAt(base64: string, scale: number, row: number, count: number): number[] {
  const bytes = atob(base64);
  return Array.from({ length: count }, (_, segment) => {
    const at = 2 * (row * count + segment);
    const value = bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8);
    return ((value << 16) >> 16) * scale;
  });
}
