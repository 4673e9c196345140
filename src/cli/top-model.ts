/** What `top` knows at one moment, and how messages change it. Pure: the clock comes in as an argument. */
import type { AlertMessage, AlertWire } from '../../streams/alerts-view.js';
import type { Snapshot } from '../../streams/snapshot.js';
import type { SystemHealth } from '../../streams/system-health.js';
import type { HealthMessage } from './tail-connection.js';

export type FiringAlert = Pick<AlertWire, 'id' | 'rule' | 'severity' | 'title' | 'starts_at'> & {
  readonly acknowledged: boolean;
};

export interface AlertsKnown {
  /** False: what fired before we were connected could not be asked yet. */
  readonly asked: boolean;
  readonly firing: readonly FiringAlert[];
  /** Why there are none, or why they could not be asked. */
  readonly note: string | null;
}

/** Operations of the last minute by type, at one step of the trend. */
export type Sample = ReadonlyMap<string, number>;

/** Samples a step apart, the oldest first; null where we were not connected. */
export interface Trend {
  /** Of the newest sample: its time over the step, rounded down. */
  readonly slot: number;
  readonly samples: readonly (Sample | null)[];
}

export interface Model {
  /** ms of the Unix epoch and why, while the connection is away. */
  readonly lost: { readonly at: number; readonly reason: string } | null;
  readonly snapshot: Snapshot | null;
  readonly source: HealthMessage | null;
  readonly health: SystemHealth | null;
  readonly alerts: AlertsKnown;
  readonly trend: Trend;
}

export const NOTHING_KNOWN: Model = {
  lost: null,
  snapshot: null,
  source: null,
  health: null,
  alerts: { asked: false, firing: [], note: null },
  trend: { slot: 0, samples: [] },
};

export const TREND_STEP_MS = 5_000;
/** Five minutes, as the chart of the throughput. */
export const TREND_STEPS = 60;
/** Alerts that are kept; more than a screen shows. */
export const MOST_ALERTS = 100;

export function withSnapshot(model: Model, snapshot: Snapshot): Model {
  return { ...model, snapshot, trend: trendWith(model.trend, snapshot, model.snapshot === null) };
}

/** What was known stays to be seen, but not as what is so now. */
export function withLoss(model: Model, at: number, reason: string): Model {
  return {
    ...model,
    lost: model.lost ?? { at, reason },
    source: null,
    health: null,
    alerts: { ...model.alerts, asked: false },
    // The steps from here to the next snapshot become gaps.
    trend: { ...model.trend, samples: [...model.trend.samples.slice(0, -1), null] },
  };
}

/** The connection is back; what it shows comes with its own messages. */
export function withConnection(model: Model): Model {
  return { ...model, lost: null };
}

/** A transition, told while it happens. */
export function withAlert(model: Model, message: AlertMessage): Model {
  const others = model.alerts.firing.filter(({ id }) => id !== message.id);
  const before = model.alerts.firing.find(({ id }) => id === message.id);
  if (message.state === 'resolved') return { ...model, alerts: { ...model.alerts, firing: others } };
  const { id, rule, severity, title, starts_at } = message;
  const firing = {
    ...{ id, rule, severity, starts_at },
    // A reminder's title tells its age, which we do.
    title: before?.title ?? title,
    acknowledged: before?.acknowledged ?? false,
  };
  return {
    ...model,
    alerts: { ...model.alerts, firing: [firing, ...others].slice(0, MOST_ALERTS) },
  };
}

/** All that fire now, as the API tells. */
export function withAlerts(model: Model, alerts: readonly AlertWire[]): Model {
  const firing = alerts
    .filter(({ state }) => state === 'firing')
    .map(({ id, rule, severity, title, starts_at, ack }) => ({
      ...{ id, rule, severity, title, starts_at, acknowledged: ack !== null },
    }));
  return { ...model, alerts: { asked: true, firing: firing.slice(0, MOST_ALERTS), note: null } };
}

/**
 * A sample for each step up to the snapshot. Snapshots come when something changed, so that steps without one had the
 * numbers of the one before; except where the connection was away.
 */
function trendWith(trend: Trend, { at, windows }: Snapshot, first: boolean): Trend {
  const slot = Math.floor(Date.parse(at) / TREND_STEP_MS);
  const sample: Sample = new Map(
    Object.entries(windows['1m'].by_type).map(([type, numbers]) => [type, numbers.total_operations]),
  );
  const passed = slot - trend.slot;
  // A clock set back, too: what was sampled belongs to no time that we could name.
  if (first || passed < 0 || passed >= TREND_STEPS) return { slot, samples: [sample] };
  if (passed === 0) return { slot, samples: [...trend.samples.slice(0, -1), sample] };
  const last = trend.samples.at(-1) ?? null;
  const between = Array.from({ length: passed - 1 }, () => last);
  return { slot, samples: [...trend.samples, ...between, sample].slice(-TREND_STEPS) };
}

/** One type's values over the whole five minutes; null where no sample was taken. */
export function trendOf({ samples }: Trend, type: string): (number | null)[] {
  const before = Array.from({ length: TREND_STEPS - samples.length }, () => null);
  return [...before, ...samples.map((sample) => (sample === null ? null : (sample.get(type) ?? 0)))];
}
