/** All that the page knows, as signals: a panel reads what it shows, and is drawn anew when that changes. */
import { computed, signal } from '@preact/signals';
import type { OperationMetrics } from '../../../streams/snapshot.js';
import { activeAlerts, operationsOf, slo as sloAnswer, systemHealth } from './api.js';
import { Connection } from './connection.js';
import { formatOf } from './format.js';
import { MESSAGES } from './i18n/index.js';
import type { HealthMessage, ServerMessage, SnapshotMessage } from './messages.js';
import { daysBack, earlier, refreshMs, shownOf, spanOf } from './period.js';
import type { ConnectionState } from './reconnect.js';
import { resource } from './resource.js';
import { issuesOf, levelOf } from './status.js';
import { formatView, languageOf, localeOf, parseView, type View } from './view.js';

export const view = signal<View>(parseView(location.search));

/** @param step whether "back" leads to what was shown before */
export function changeView(change: Partial<View>, step: 'step' | 'in place' = 'in place'): void {
  view.value = { ...view.peek(), ...change };
  const address = `${location.pathname}${formatView(view.peek())}${location.hash}`;
  if (step === 'step') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}
addEventListener('popstate', () => {
  view.value = parseView(location.search);
});

export const language = computed(() => view.value.lang ?? languageOf(navigator.languages));
export const messages = computed(() => MESSAGES[language.value]);
export const format = computed(() => formatOf(localeOf(language.value, navigator.languages)));

/** This browser's clock, a step each second, ms. */
export const clock = signal(Date.now());
setInterval(() => {
  clock.value = Date.now();
}, 1_000);

export const snapshot = signal<SnapshotMessage | null>(null);
/** What the monitor last said of itself, by WebSocket. */
export const source = signal<HealthMessage | null>(null);
export const connection = signal<{ readonly state: ConnectionState; readonly since: string }>({
  state: 'connecting',
  since: new Date().toISOString(),
});
/** What the monitor could not make of what the page sent, or the page of what it sent; for the console. */
const complain = (what: unknown): void => console.error('live:', what);

const inView = { everyMs: () => 15_000, key: () => 'now' };
export const health = resource({ ...inView, ask: (_key, signal) => systemHealth(signal) });
/** Those that fire, and every rule. */
export const alerts = resource({ ...inView, ask: (_key, signal) => activeAlerts(signal) });
export const slo = resource({ ...inView, ask: (_key, signal) => sloAnswer(signal) });

const shown = computed(() => shownOf(view.value));
/** The database's clock as far as the page knows it, ms. */
const databaseNow = (): number => {
  const at = snapshot.peek()?.at;
  return at === undefined ? Date.now() : Date.parse(at);
};

const asked = resource<ReturnType<typeof shownOf>, OperationMetrics>({
  key: () => (shown.value.kind === 'window' ? null : shown.value),
  ask: (key, signal) => operationsOf(spanOf(key, databaseNow()), signal),
  everyMs: (key) => refreshMs(spanOf(key, 0)),
});

/** Whole days between the period shown and the one beside it. */
export const shift = computed(() => daysBack(spanOf(shown.value, 0)));
const past = resource<ReturnType<typeof shownOf>, OperationMetrics>({
  key: () => shown.value,
  ask: (key, signal) => {
    // The very same time of the other day, to the millisecond, as the window states it.
    const window = key.kind === 'window' ? snapshot.peek()?.windows[key.window] : undefined;
    const span = window
      ? { from: Date.parse(window.period_start), to: Date.parse(window.period_end) }
      : spanOf(key, databaseNow());
    return operationsOf(earlier(span, shift.peek()), signal);
  },
  everyMs: (key) => refreshMs(spanOf(key, 0)),
});

/** The operations of the period that is shown; null: not known yet. */
export const operations = computed<OperationMetrics | null>(() =>
  shown.value.kind === 'window' ? (snapshot.value?.windows[shown.value.window] ?? null) : asked.value.value,
);
export const operationsFailure = computed(() => (shown.value.kind === 'window' ? null : asked.failure.value));
/** The same so many days before (`shift`); null: not known, or not kept any more. */
export const operationsBefore = past.value;

const completeness = computed(() => snapshot.value?.completeness ?? source.value?.completeness ?? null);
const known = computed(() => ({
  connection: connection.value,
  health: health.value.value,
  completeness: completeness.value,
  alerts: alerts.value.value?.alerts ?? null,
}));
export const issues = computed(() => issuesOf(known.value));
export const level = computed(() => levelOf(known.value, issues.value));

function receive(message: ServerMessage): void {
  switch (message.type) {
    case 'snapshot':
      snapshot.value = message;
      return;
    case 'health':
      source.value = message;
      health.reload();
      return;
    case 'alert':
      alerts.reload();
      slo.reload();
      return;
    case 'error':
      complain(message);
  }
}

function connectionBecame(state: ConnectionState): void {
  const before = connection.peek().state;
  connection.value = { state, since: new Date().toISOString() };
  if (state !== 'open' || before !== 'lost') return;
  // What was missed meanwhile.
  for (const each of [health, alerts, slo, past, asked]) each.reload();
}

export const live = new Connection({
  url: new URL('ws', document.baseURI).href.replace(/^http/, 'ws'),
  onMessage: receive,
  onState: connectionBecame,
  onFault: complain,
});
