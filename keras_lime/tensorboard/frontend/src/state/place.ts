// Where the reader was: the tile that was opened and its place in the window, to come back to; what to scroll to next.
import { signal } from "@preact/signals";

interface Place {
  readonly probe: string;
  /** Pixels from the top of the window to the tile: what is above it may have another height when one comes back. */
  readonly top: number;
}

const places = new Map<string, Place>();

export function rememberPlace(key: string, place: Place): void {
  places.set(key, place);
}

/** Where to go back to; the place is forgotten. */
export function takePlace(key: string): Place | null {
  const place = places.get(key) ?? null;
  places.delete(key);
  return place;
}

/** The run whose evidence is to be scrolled to as soon as it stands. */
export const evidenceOf = signal<string | null>(null);

/** On narrow screens the controls are a drawer. */
export const drawerOpen = signal(false);

export const showsKeys = signal(false);
