import type { Link } from './connection.js';

/**
 * State in memory is trusted only while one connection outlived the gap: a backend that lived before and still
 * answers proves that the server did not restart in between (after a crash it can hand out ids again, and rows
 * committed with synchronous_commit=off can vanish).
 */
export class Continuity {
  readonly #links: readonly Link[];
  #generations: number[];
  #released: boolean | undefined;

  constructor(links: readonly Link[]) {
    this.#links = links;
    this.#generations = links.map(() => 0);
  }

  /** The state is right as of now: remember which connections live. */
  mark(): void {
    this.#links.forEach((link, i) => {
      this.#generations[i] = link.generation;
    });
  }

  /** Whether a connection that lived at the last mark lives on, as far as we have heard. */
  get unbroken(): boolean {
    if (this.#released !== undefined) return this.#released;
    return this.#links.some(({ generation }, i) => generation !== 0 && generation === this.#generations[i]);
  }

  /** The connections are about to be closed on purpose, which says nothing about the server. */
  release(): void {
    this.#released = this.unbroken;
  }

  /** Whether a connection that lived at the last mark still answers. */
  async proven(): Promise<boolean> {
    for (const [i, link] of this.#links.entries()) {
      const generation = this.#generations[i];
      if (generation === 0 || link.generation !== generation) continue;
      try {
        await link.query('SELECT 1');
        if (link.generation === generation) return true;
      } catch {
        // It did not outlive the gap; the next one may have. The link has closed itself.
      }
    }
    return false;
  }
}
