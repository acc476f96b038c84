// A queue of requests: a few at a time, the most urgent first, the oldest first among equals. Pure.
//
// What scrolls into view becomes urgent while it waits, what scrolls away stops being so.

interface Waiting {
  urgency: number;
  readonly key: string;
  readonly start: () => Promise<void>;
}

export class RequestQueue {
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(private readonly limit: number) {}

  run<T>(key: string, urgency: number, task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ key, urgency, start: () => task().then(resolve, reject) });
      this.#next();
    });
  }

  /** Changes how urgent a waiting task is; nothing happens when it has begun. */
  hurry(key: string, urgency: number): void {
    for (const waiting of this.#waiting) {
      if (waiting.key === key) waiting.urgency = urgency;
    }
  }

  #next(): void {
    while (this.#running < this.limit && this.#waiting.length > 0) {
      let best = 0;
      for (let index = 1; index < this.#waiting.length; index++) {
        if (this.#waiting[index].urgency > this.#waiting[best].urgency) best = index;
      }
      const [{ start }] = this.#waiting.splice(best, 1);
      this.#running++;
      void start().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
