/** An answer of the API that is kept fresh: asked for when its key changes, and again after a while. */
import { effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { ApiFailure } from './api.js';

export interface Resource<T> {
  /** Null until the first answer to the present key; the last good answer stays while a later one fails. */
  readonly value: ReadonlySignal<T | null>;
  /** Why the last try failed; null when it did not. */
  readonly failure: ReadonlySignal<ApiFailure | null>;
  reload(): void;
}

export interface ResourceOptions<K, T> {
  /** Reads signals. What is asked for; null: nothing now. The same text of JSON is the same key. */
  readonly key: () => K | null;
  readonly ask: (key: K, signal: AbortSignal) => Promise<T>;
  /** Pause after an answer, ms; Infinity: never again. */
  readonly everyMs: (key: K) => number;
}

/** What is not looked at is not asked for; it is asked for at once when the page is looked at again. */
export function resource<K, T>(options: ResourceOptions<K, T>): Resource<T> {
  const value = signal<T | null>(null);
  const failure = signal<ApiFailure | null>(null);
  let key: K | null = null;
  let text = 'null';
  let abort = new AbortController();
  let timer = 0;
  let due = false;

  const load = async (): Promise<void> => {
    clearTimeout(timer);
    abort.abort();
    if (key === null) return;
    if (document.visibilityState === 'hidden') {
      due = true;
      return;
    }
    due = false;
    const asked = key;
    const mine = new AbortController();
    abort = mine;
    try {
      const answer = await options.ask(asked, mine.signal);
      if (mine.signal.aborted) return;
      value.value = answer;
      failure.value = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      failure.value =
        error instanceof ApiFailure
          ? error
          : new ApiFailure(0, 'unexpected', String(error), { cause: error });
    }
    const pause = options.everyMs(asked);
    if (Number.isFinite(pause)) timer = window.setTimeout(() => void load(), pause);
  };

  effect(() => {
    const next = options.key();
    const nextText = JSON.stringify(next);
    if (nextText === text) return;
    key = next;
    text = nextText;
    // Numbers of another period must not stand under the new one's name.
    value.value = null;
    failure.value = null;
    untracked(() => void load());
  });
  document.addEventListener('visibilitychange', () => {
    if (due && document.visibilityState === 'visible') void load();
  });
  return { value, failure, reload: () => void load() };
}
