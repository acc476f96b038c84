// One thing the server knows, fetched when wanted and again when it has changed; components follow its signals.
import { signal, type Signal } from "@preact/signals";
import type { RequestQueue } from "./requestQueue.ts";
import { Latest } from "./latest.ts";

export class Resource<T> {
  /** The newest answer; kept while a newer one is on the way or when fetching it fails. */
  readonly value: Signal<T | null> = signal(null);
  /** Why the newest question was not answered. */
  readonly error: Signal<string | null> = signal(null);

  readonly #latest = new Latest();
  #version: string | null = null;
  #answered: Promise<void> = Promise.resolve();

  constructor(
    private readonly key: string,
    private readonly queue: RequestQueue,
    private readonly load: () => Promise<T>,
  ) {}

  /**
   * Fetches unless this version was asked for already; a waiting question takes the new urgency. The promise ends when
   * an answer has come, good or bad.
   */
  ensure(version: string, urgency: number): Promise<void> {
    if (this.#version === version) {
      this.queue.hurry(this.key, urgency);
      return this.#answered;
    }
    this.#version = version;
    const counts = this.#latest.begin();
    this.#answered = this.queue.run(this.key, urgency, this.load).then(
      (value) => {
        if (!counts()) return;
        this.value.value = value;
        this.error.value = null;
      },
      (reason: unknown) => {
        if (counts()) this.error.value = reason instanceof Error ? reason.message : String(reason);
      },
    );
    return this.#answered;
  }

  relax(): void {
    this.queue.hurry(this.key, 0);
  }

  /** Forgets what was asked, so that the next `ensure` asks again. */
  retry(): void {
    this.#version = null;
  }
}
