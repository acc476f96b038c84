// A picture beside its explanation, with what is known of it.
import type { PaletteName } from "../draw/overlay.ts";
import { decimal, probability } from "../model/numbers.ts";
import { Thumbnail } from "./thumbnail.tsx";
import type { PictureData } from "./content.ts";

export function Figure({ picture, palette }: { picture: PictureData; palette: PaletteName }) {
  const { name, label, predicted, value, r2, target } = picture;
  const wrong = label !== null && predicted !== null && label !== predicted;
  const title = predicted === null ? target : predicted;
  return (
    <figure>
      <div class="pair">
        <img class={Math.max(picture.width, picture.height) < 160 ? "coarse" : ""} src={picture.file} alt={name} />
        <Thumbnail picture={picture} palette={palette} segment={null} label={`${name}: what speaks for ${title}`} />
      </div>
      <figcaption>
        <b class={wrong ? "wrong" : label === null ? "" : "right"}>{title}</b>{" "}
        {predicted === null ? decimal(value) : probability(value)}
        {wrong && <> – in truth {label}</>}
        <span class="muted file" title={name}>
          {name}
        </span>
        {r2 !== null && r2 < 0.2 && <span class="muted">R² {decimal(r2)}: not to be read as reasons</span>}
      </figcaption>
    </figure>
  );
}
