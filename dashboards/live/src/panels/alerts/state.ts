/** Silences and past alerts, and what the viewer can do about an alert. */
import { computed, effect, signal, untracked } from '@preact/signals';
import type { AlertWire, SilenceWire } from '../../../../../streams/alerts-view.js';
import type { AlertsAnswer } from '../../answers.js';
import { ApiFailure, ask } from '../../api.js';
import { onReconnect } from '../../on-reconnect.js';
import { resource } from '../../resource.js';
import { alerts } from '../../state.js';
import { refusalOf } from './silencing.js';

/** The dialog that is open. */
export type Doing =
  | { readonly what: 'ack'; readonly alert: AlertWire }
  /** Null: the viewer chooses the rule. */
  | { readonly what: 'silence'; readonly rule: string | null };

export const doing = signal<Doing | null>(null);
/** The server refused because of the viewer's role: there is no use in offering it again. */
export const denied = signal(false);
/** An action has just come about, which is read out. */
export const done = signal(false);

export const silences = resource<string, { readonly silences: readonly SilenceWire[] }>({
  key: () => 'now',
  ask: (_key, signal) => ask('api/silences/', { signal }),
  everyMs: () => 60_000,
});

export const pastOpen = signal(false);
const FIRST_PAGE = 10;
/** The API's page at most. */
const MOST = 200;
const wanted = signal(FIRST_PAGE);
/** The newest that have ended; asked for only while they are looked at. */
export const past = resource<string, AlertsAnswer>({
  key: () => (pastOpen.value ? 'past' : null),
  ask: (_key, signal) => ask(`api/alerts/?state=past&limit=${wanted.peek()}`, { signal }),
  everyMs: () => 300_000,
});
export const morePast = computed(
  () => (past.value.value?.next_before ?? null) !== null && wanted.value < MOST,
);
export function showMorePast(): void {
  wanted.value = Math.min(MOST, wanted.peek() * 4);
  past.reload();
}

/** One that does not fire any more has become a past one. */
let firing = '';
effect(() => {
  const ids = (alerts.value.value?.alerts ?? []).map(({ id }) => id).join(' ');
  if (ids === firing) return;
  firing = ids;
  untracked(() => past.reload());
});
onReconnect(() => {
  silences.reload();
  past.reload();
});

/** Long enough to be read, and to be read out. */
const SAID_MS = 8_000;
let forget = 0;

/** Null: it is done. */
async function act(path: string, method: 'POST' | 'DELETE', body?: unknown): Promise<ApiFailure | null> {
  done.value = false;
  try {
    await ask(path, body === undefined ? { method } : { method, body });
  } catch (error) {
    const failure =
      error instanceof ApiFailure ? error : new ApiFailure(0, 'unexpected', String(error), { cause: error });
    if (refusalOf(failure.status) === 'denied') denied.value = true;
    return failure;
  }
  done.value = true;
  clearTimeout(forget);
  forget = window.setTimeout(() => {
    done.value = false;
  }, SAID_MS);
  return null;
}

/** @param by empty: nobody says so; as the note */
export async function acknowledge(id: string, by: string, note: string): Promise<ApiFailure | null> {
  const failure = await act(`api/alerts/${encodeURIComponent(id)}/ack`, 'POST', {
    by: by.trim() || null,
    note: note.trim() || null,
  });
  alerts.reload();
  return failure;
}

export interface SilenceWanted {
  /** Or `*`. */
  readonly rule: string;
  /** ms */
  readonly endsAt: number;
  readonly reason: string;
  readonly by: string;
}

export async function silence({ rule, endsAt, reason, by }: SilenceWanted): Promise<ApiFailure | null> {
  const failure = await act('api/silences/', 'POST', {
    ...{ rule, ends_at: new Date(endsAt).toISOString(), reason: reason.trim() },
    created_by: by.trim() || null,
  });
  silences.reload();
  return failure;
}

export async function endSilence(id: number): Promise<ApiFailure | null> {
  const failure = await act(`api/silences/${id}`, 'DELETE');
  silences.reload();
  return failure;
}

const NAME_KEY = 'sync-monitor.name';

/** Who uses this browser, as they said last; empty where they did not, or the browser keeps nothing. */
export function rememberedName(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    // Storage can be forbidden; the name is then typed again.
    return '';
  }
}

export function rememberName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name.trim());
  } catch {
    // As above.
  }
}
