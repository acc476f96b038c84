// What Python puts into the report file (keras_lime/auditing/report). Types only; null means "not measured".

export interface ReportData {
  readonly title: string;
  readonly subtitle: string;
  readonly palette: "green-red" | "blue-orange";
  /** Of logs, in red before everything else. */
  readonly alarms: readonly { readonly run: string | null; readonly epoch: number; readonly sentence: string }[];
  readonly runs: readonly RunRow[];
  readonly chapters: readonly Chapter[];
  readonly pictures: readonly PictureData[];
}

export interface RunRow {
  readonly name: string;
  readonly epoch: number | null;
  /** The epoch since which an alarm is on. */
  readonly alarm: number | null;
  readonly status: string | null;
  readonly accuracy: number | null;
  readonly reliance: number | null;
  readonly reliance_stderr: number | null;
  readonly swap_flip: number | null;
  readonly swap_flip_stderr: number | null;
  readonly object_share: number | null;
  readonly object_share_stderr: number | null;
  readonly object_chance: number | null;
  readonly r2: number | null;
}

export interface CurveData {
  readonly name: string;
  readonly epochs: readonly number[];
  readonly values: readonly (number | null)[];
  readonly errors: readonly (number | null)[] | null;
  readonly chance: readonly (number | null)[] | null;
}

export interface Confusions {
  readonly names: readonly string[];
  /** Images of each true class. */
  readonly images: readonly number[];
  /** Rows by true class, columns by predicted class. */
  readonly counts: readonly (readonly number[])[];
  /** Mistakes outside the matrix. */
  readonly left: number;
}

export interface Chapter {
  readonly title: string | null;
  readonly kind: "audit" | "log";
  readonly findings: readonly string[];
  readonly facts: readonly (readonly [string, string])[];
  readonly score: "swap_flip" | "words" | "object" | null;
  readonly classes: readonly ClassRow[];
  readonly curves: readonly CurveData[];
  readonly confusions: Confusions | null;
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
  readonly predictions: number | null;
  readonly status: string | null;
  readonly reason: string | null;
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
  /** What pasting the word's patches into other images said; null where nothing looked suspicious. */
  readonly proof: Proof | null;
  /** [index of `pictures`, superpixel] */
  readonly examples: readonly (readonly [number, number])[];
}

/** Rises of the class's probability in images of other classes, by patches of the word and by all that is around objects. */
export interface Proof {
  readonly status: "proved" | "not proved" | "not tested";
  readonly reason: string | null;
  readonly pull: number | null;
  readonly random: number | null;
  readonly around: number | null;
  readonly aroundRandom: number | null;
  readonly images: number | null;
  /** A data: URL of an image with a patch, and beside it with a random one. */
  readonly picture: string | null;
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
  /** What was found at each epoch of a log, the newest last; null without. */
  readonly epochs: EpochData | null;
}

export interface EpochData {
  readonly epochs: readonly number[];
  readonly predicted: readonly (string | null)[];
  readonly values: readonly (number | null)[];
  readonly targets: readonly string[];
  readonly r2: readonly (number | null)[];
  readonly scale: number;
  /** Base64 of int16 numbers (epochs, superpixels), to be multiplied by `scale`. */
  readonly weights: string;
}
