// What Python puts into the report file (keras_lime/auditing/report). Types only; null means "not measured".

export interface ReportData {
  readonly title: string;
  readonly subtitle: string;
  readonly palette: "green-red" | "blue-orange";
  readonly chapters: readonly Chapter[];
  readonly pictures: readonly PictureData[];
}

export interface Chapter {
  readonly title: string | null;
  readonly kind: "audit" | "log";
  readonly findings: readonly string[];
  readonly facts: readonly (readonly [string, string])[];
  readonly score: "swap_flip" | "words" | "object" | null;
  readonly classes: readonly ClassRow[];
  readonly words: readonly ClassWords[];
  /** Indices of `pictures`. */
  readonly typical: readonly Group[];
  readonly wrong: { readonly count: number; readonly pictures: readonly number[] };
  readonly failed: { readonly count: number; readonly rows: readonly { readonly name: string; readonly error: string }[] };
}

export interface ClassRow {
  readonly name: string;
  readonly images: number | null;
  readonly accuracy: number | null;
  readonly score: number | null;
  readonly stderr: number | null;
  readonly object_share: number | null;
  readonly object_chance: number | null;
  readonly r2: number | null;
}

export interface Group {
  readonly title: string;
  readonly pictures: readonly number[];
}

export interface ClassWords {
  readonly name: string;
  readonly predictions: number;
  readonly presence: number | null;
  readonly presence_elsewhere: number | null;
  readonly words: readonly Word[];
}

export interface Word {
  readonly description: string;
  readonly colour: string;
  readonly suspicious: boolean;
  readonly share: number;
  readonly area: number;
  readonly exclusivity: number | null;
  readonly off_object: number | null;
  readonly measured: boolean;
  /** [index of `pictures`, superpixel] */
  readonly examples: readonly (readonly [number, number])[];
}

export interface PictureData {
  readonly name: string;
  readonly label: string | null;
  readonly predicted: string | null;
  readonly value: number | null;
  readonly target: string;
  readonly r2: number | null;
  readonly width: number;
  readonly height: number;
  /** A data: URL. */
  readonly file: string;
  /** Base64 of the deflated superpixel numbers, 16 bits a pixel, row by row. */
  readonly segments: string;
  readonly weights: readonly number[];
  readonly stderr: readonly (number | null)[] | null;
}
