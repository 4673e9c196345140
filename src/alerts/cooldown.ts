/**
 * The rate limit that restarts and replicas share: after a notice of a rule, no other alert of that rule is told of for
 * a while. streams/rules.ts keeps it within one process and its checkpoint; this is for what a checkpoint cannot know.
 * Asked of every store there is, and the strictest answer holds. Where none can be asked, the notice goes out: twice is
 * better than never.
 */
import type { AlertLog } from './db.js';

export interface CooldownStore {
  readonly name: string;
  /**
   * Takes the rule for this transition until then, unless another transition has it. Asking again for the same is the
   * same. Gives null when it was taken, else until when the other has it, ms.
   * @throws when the store cannot be asked
   */
  claim(rule: string, transitionId: string, until: number, now: number): Promise<number | null>;
  /** Takes it whoever has it: the end of an alert, or a reminder. @throws likewise */
  take(rule: string, transitionId: string, until: number, now: number): Promise<void>;
}

/** For each question to a store: the alert waits meanwhile. */
const PATIENCE_MS = 1_000;

export class Cooldown {
  readonly #stores: readonly CooldownStore[];
  readonly #limitMs: number;
  readonly #log: AlertLog;
  readonly #down = new Set<string>();

  constructor(stores: readonly CooldownStore[], limitSeconds: number, log: AlertLog) {
    this.#stores = stores;
    this.#limitMs = limitSeconds * 1_000;
    this.#log = log;
  }

  /** Null: tell it. Else until when another notice of that rule keeps it back, ms. */
  async claim(rule: string, transitionId: string, decidedAt: number, now: number): Promise<number | null> {
    const until = decidedAt + this.#limitMs;
    // Also a limit of 0, and a notice that waited for so long that its own time is over.
    if (until <= now) return null;
    let held: number | null = null;
    for (const store of this.#stores) {
      const taken = await this.#ask(store, () => store.claim(rule, transitionId, until, now));
      if (taken !== undefined && taken !== null && taken > now) held = Math.max(held ?? 0, taken);
    }
    return held;
  }

  /** Says that a notice was told which the limit does not keep back. */
  async take(rule: string, transitionId: string, decidedAt: number, now: number): Promise<void> {
    const until = decidedAt + this.#limitMs;
    if (until <= now) return;
    for (const store of this.#stores)
      await this.#ask(store, () => store.take(rule, transitionId, until, now));
  }

  /** Undefined where the store could not be asked; said once, and once when it can be again. */
  async #ask<T>(store: CooldownStore, question: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await inTime(question());
      if (this.#down.delete(store.name))
        this.#log.info(
          { event_type: 'cooldown_store_back', store: store.name },
          `the rate limit of alerts is shared through ${store.name} again`,
        );
      return answer;
    } catch (error) {
      if (!this.#down.has(store.name)) {
        this.#down.add(store.name);
        this.#log.warn(
          { event_type: 'cooldown_store_down', store: store.name, error },
          `the rate limit of alerts cannot be shared through ${store.name} now; alerts go out, one may come twice`,
        );
      }
      return undefined;
    }
  }
}

/** A store that hangs is one that cannot be asked. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
