/** Asks a check within its time, with one retry inside; never a second time while the first still hangs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, down, type Finding } from './check.js';

export interface Asked extends Finding {
  /** Of the attempt that was answered; null where none was. ms */
  readonly responseTimeMs: number | null;
}

/**
 * The first attempt's share of the time where it does not fail before: a slow component is up, and what has lost a
 * packet at the beginning gets another chance all the same.
 */
const FIRST_SHARE = 2 / 3;
const RETRY_PAUSE_MS = 100;
/** For an attempt that was aborted to end. ms */
const SETTLE_MS = 100;
const STOPPING = 'the monitor is stopping';

export class Asking {
  readonly #check: Check;
  readonly #timeoutMs: number;
  /** The attempt that has not ended, aborted or not: a mount that hangs can be left, not ended. */
  #open: { readonly since: Date; readonly ended: Promise<void> } | undefined;

  /** @param timeoutMs for both attempts together */
  constructor(check: Check, timeoutMs: number) {
    this.#check = check;
    this.#timeoutMs = timeoutMs;
  }

  /** Never throws: what the check throws is what was found. */
  async ask(stop: AbortSignal): Promise<Asked> {
    const end = performance.now() + this.#timeoutMs;
    const left = () => end - performance.now();
    const first = await this.#attempt(this.#timeoutMs * FIRST_SHARE, stop);
    if (first.available) return first;
    await sleep(Math.min(RETRY_PAUSE_MS, left() / 4), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted || left() <= 0) return first;
    return this.#attempt(left(), stop);
  }

  async #attempt(ms: number, stop: AbortSignal): Promise<Asked> {
    if (this.#open) await Promise.race([this.#open.ended, sleep(Math.min(SETTLE_MS, ms / 2))]);
    if (this.#open)
      return this.#unanswered(`no answer; the question of ${this.#open.since.toISOString()} still hangs`);
    if (stop.aborted) return this.#unanswered(STOPPING);
    const abort = new AbortController();
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Asked>((resolve) => {
      const give = (message: string) => {
        abort.abort();
        resolve(this.#unanswered(message));
      };
      timer = setTimeout(() => give(`no answer within ${this.#timeoutMs / 1_000} s`), ms);
      stop.addEventListener('abort', () => give(STOPPING), { once: true, signal: abort.signal });
    });
    const answer = this.#begin(abort.signal).then((finding) => ({
      ...finding,
      responseTimeMs: finding.available ? Math.round((performance.now() - began) * 10) / 10 : null,
    }));
    const open = {
      since: new Date(),
      ended: answer.then(() => {
        if (this.#open === open) this.#open = undefined;
      }),
    };
    this.#open = open;
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      // Also takes the listener off `stop`.
      abort.abort();
    }
  }

  #begin(signal: AbortSignal): Promise<Finding> {
    // Also what it throws before its first await.
    return (async () => this.#check.ask(signal))().catch((error: unknown) => down(wordsOf(error)));
  }

  #unanswered(message: string): Asked {
    return { ...down(message), responseTimeMs: null };
  }
}

/** A name with several addresses fails once per address, under an error that says nothing itself. */
export function wordsOf(error: unknown): string {
  const errors: unknown[] = error instanceof AggregateError && error.message === '' ? error.errors : [error];
  return [...new Set(errors.map((one) => (one instanceof Error ? one.message : String(one))))].join(', ');
}
