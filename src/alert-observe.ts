/** What the rules look at, made of what the monitor says of itself. */
import type {
  ComponentReading,
  Evidence,
  IncidentsView,
  Observation,
  Rule,
  SloNumbers,
} from '../streams/alert.js';
import type { Snapshot } from '../streams/snapshot.js';
import type { SourceState } from '../streams/source-state.js';
import type { ComponentHealth } from '../streams/system-health.js';

export interface Seen {
  /** The database's clock, ms. */
  readonly now: number;
  readonly snapshot: Snapshot | null;
  readonly components: Readonly<Record<string, ComponentHealth>>;
  readonly slo: SloNumbers | null;
  readonly incidents: IncidentsView;
  /** How far reading is; it only matters whether it is another text than before. */
  readonly progress: string;
}

/** A first filling of the windows that got no further for so long is stuck. ms */
const STUCK_MS = 60_000;

/** Remembers since when things are as they are. */
export class Observer {
  readonly #since = new Map<string, { readonly status: ComponentHealth['status']; readonly at: number }>();
  #unmeasurableSince: number | null = null;
  #everMeasurable = false;
  #progress: string | null = null;
  #progressAt = Number.NEGATIVE_INFINITY;

  observe({ now, snapshot, components, slo, incidents, progress }: Seen): Observation {
    const { state, reasons } = snapshot?.completeness ?? { state: 'unknown', reasons: [] };
    const measurable = state === 'complete';
    this.#unmeasurableSince = measurable ? null : (this.#unmeasurableSince ?? now);
    this.#everMeasurable ||= measurable;
    // Also where the clock went back: waiting begins again then.
    if (progress !== this.#progress || now < this.#progressAt) {
      this.#progress = progress;
      this.#progressAt = now;
    }
    const [reason = `the numbers are ${state.replace('_', ' ')}`] = reasons;
    return {
      ...{ now, snapshot, measurable, slo, incidents },
      unmeasurableReason: measurable ? null : reason,
      unmeasurableSince: this.#unmeasurableSince,
      starting: !this.#everMeasurable && now - this.#progressAt < STUCK_MS,
      components: Object.fromEntries(
        Object.entries(components).map(([name, health]) => [name, this.#reading(name, health, now)]),
      ),
    };
  }

  #reading(name: string, { status, message, details }: ComponentHealth, now: number): ComponentReading {
    const known = this.#since.get(name);
    const since = known?.status === status ? known.at : now;
    if (since !== known?.at || known.status !== status) this.#since.set(name, { status, at: since });
    return { status, since, message, details };
  }
}

/** Changes with every row that is read, and with every part of the table that has none. */
export function progressOf({
  rowsRead,
  highId,
  backfill,
}: Pick<SourceState, 'rowsRead' | 'highId' | 'backfill'>): string {
  return [rowsRead, highId, backfill?.rows, backfill?.percent].join();
}

/** The window whose errors a rule's notice shows; null for rules that are not about rows. */
export function evidenceWindow(rule: Rule | undefined): Evidence['window'] | null {
  if (rule === undefined || rule.over === 'health' || rule.measure === 'minutes_without_rows') return null;
  return /_(5m|1m)$/.test(rule.measure) || rule.measure === 'batch_failures' ? '5m' : '1h';
}
