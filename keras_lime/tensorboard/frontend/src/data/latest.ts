// Late answers are dropped: of several questions about one thing only the answer to the newest counts. Pure.

export class Latest {
  #newest = 0;

  /** Marks a new question; its answer counts as long as no newer question was begun. */
  begin(): () => boolean {
    const mine = ++this.#newest;
    return () => mine === this.#newest;
  }
}
