/**
 * Alerts beside the monitor: looks at its numbers every second, lets the rules decide (streams/rules.ts), and hands what
 * they decided to src/alerts. Only the leader decides and sends; every term begins with what the last one kept.
 */
import { type Observable, Subject } from 'rxjs';
import type { Reason, RuleState, SloReading, Transition } from '../streams/alert.js';
import {
  type AckWire,
  type AlertMessage,
  type AlertQuery,
  type AlertsView,
  type AlertWire,
  alertMessage,
  type RuleWire,
  type SilenceRequest,
  type SilenceWire,
} from '../streams/alerts-view.js';
import type { Batch } from '../streams/event.js';
import { Incidents } from '../streams/incidents.js';
import { isoOf } from '../streams/iso.js';
import { step } from '../streams/rules.js';
import type { OperationNumbers, Snapshot } from '../streams/snapshot.js';
import type { SystemHealth } from '../streams/system-health.js';
import { evidenceWindow, Observer, progressOf } from './alert-observe.js';
import { type AlertPlace, type AlertPlaceOptions, alertsUsable, openPlace } from './alert-place.js';
import type { AlertsConfig } from './alert-settings.js';
import { Alerts } from './alerts/alerts.js';
import type { Decision } from './alerts/compose.js';
import type { Db } from './history/db.js';
import type { MonitorConfig } from './monitor-types.js';
import { hourOf, SloCounts } from './slo-counts.js';
import type { SourceLog } from './source/journal.js';
import type { Source } from './source/source.js';
import { within } from './within.js';

const STEP_MS = 1_000;
const LOADING = 'loading what was kept of alerts';
/** States that did not change are written down all the same now and then: a former leader may have written its own. */
const KEEP_MS = 60_000;
/** SIGTERM leaves 5 s in all. ms. */
const FINISH_MS = 1_500;

/** The monitor, as alerts see it. */
export interface Watched {
  readonly source: Pick<Source, 'state' | 'clock'>;
  readonly latest: () => Snapshot | null;
  readonly health: () => SystemHealth;
  readonly operations: (start: Date, end: Date) => Promise<OperationNumbers>;
  /** Whether history answers for any period. */
  readonly historyReady: () => boolean;
  readonly retentionDays: number;
}

/**
 * Alerts as they can be had: undefined where they are not configured, or where this role may not keep them.
 * @throws what the connection throws
 */
export async function alertsFor(
  { alerts: config, databaseUrl: url }: Pick<MonitorConfig, 'alerts' | 'databaseUrl'>,
  tableName: string,
  { db, log }: { readonly db: Db; readonly log: SourceLog },
): Promise<AlertService | undefined> {
  if (config === undefined || !(await alertsUsable(db, log))) return undefined;
  return new AlertService({ url, tableName, config, log });
}

/** From taking the lead to losing it. */
interface Term {
  readonly alerts: Alerts;
  /** Null until what the last leader kept is loaded. */
  states: Readonly<Record<string, RuleState>> | null;
  reasons: Readonly<Record<string, Reason>>;
  loading: Promise<void> | null;
  keptAt: number;
}

export class AlertService implements AlertsView {
  readonly transitions$: Observable<AlertMessage>;
  readonly #transitions = new Subject<AlertMessage>();
  readonly #config: AlertsConfig;
  readonly #log: SourceLog;
  readonly #place: AlertPlace;
  readonly #incidents: Incidents;
  readonly #observer = new Observer();
  readonly #former: Record<string, number> = {};
  #watched: Watched | undefined;
  #slo: SloCounts | undefined;
  #term: Term;
  #leads = false;
  /** The end of the last term, whose notices must not be loaded while they are still being sent. */
  #ending: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #failing: string | undefined;

  constructor(options: AlertPlaceOptions) {
    const { config, log } = options;
    this.transitions$ = this.#transitions.asObservable();
    this.#config = config;
    this.#log = log;
    this.#incidents = new Incidents({ batchErrors: config.batchErrors });
    this.#place = openPlace(options, () => this.#now());
    this.#term = this.#newTerm();
  }

  /** Synchronously, for every batch of the source. Never throws: the windows come after. */
  apply(batch: Batch): void {
    this.#guarded('taking in rows', () => this.#incidents.apply(batch));
  }

  /** Looks at this monitor from now on. */
  start(watched: Watched): void {
    this.#watched = watched;
    this.#slo = new SloCounts({
      ...this.#config.slo,
      operations: watched.operations,
      ready: watched.historyReady,
      reachDays: watched.retentionDays,
      clock: () => this.#now(),
      log: this.#log,
    });
    this.#timer = setInterval(() => this.#guarded('deciding on alerts', () => this.#tick()), STEP_MS);
  }

  /** Ends deciding and sending, within a few seconds; what was not delivered is kept. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#leads = false;
    const work = [this.#slo?.stop(), this.#ending, this.#term.loading, this.#term.alerts.stop()];
    await within(FINISH_MS, Promise.allSettled(work));
    this.#place.close();
  }

  rules(): readonly RuleWire[] {
    const { states, reasons } = this.#term;
    if (!this.#leads || states === null) return [];
    return this.#config.rules.map(({ name, severity, threshold }) => {
      const state = Object.hasOwn(states, name) ? states[name] : undefined;
      return {
        ...{ name, severity, threshold, state: state?.phase ?? 'inactive' },
        ...{ reason: reasons[name] ?? null, value: state?.value ?? null },
        since: state ? isoOf(state.since) : null,
      };
    });
  }

  slo(): SloReading | null {
    return (this.#leads && this.#slo?.reading(this.#watched?.latest() ?? null)) || null;
  }

  deliveries(): Readonly<Record<string, number>> {
    const { counts } = this.#term.alerts;
    return Object.fromEntries(
      Object.entries(counts).map(([outcome, count]) => [outcome, count + (this.#former[outcome] ?? 0)]),
    );
  }

  list(query: AlertQuery): Promise<readonly AlertWire[]> {
    return this.#term.alerts.list(query);
  }

  acknowledge(id: string, ack: Pick<AckWire, 'by' | 'note'>): Promise<AlertWire | null> {
    return this.#term.alerts.acknowledge(id, ack);
  }

  silences(past: boolean): Promise<readonly SilenceWire[]> {
    return this.#term.alerts.silences(past);
  }

  silence({ startsAt = this.#now(), ...request }: SilenceRequest): Promise<SilenceWire> {
    return this.#term.alerts.silence({ ...request, startsAt });
  }

  endSilence(id: number): Promise<SilenceWire | null> {
    return this.#term.alerts.endSilence(id);
  }

  #now(): number {
    return this.#watched?.source.clock.now() ?? Date.now();
  }

  #newTerm(): Term {
    return {
      ...{ alerts: new Alerts(this.#place.options), states: null, reasons: {}, loading: null },
      keptAt: Number.NEGATIVE_INFINITY,
    };
  }

  #tick(): void {
    const watched = this.#watched;
    if (!watched?.source.clock.known) return;
    const leads = watched.source.state().role === 'leader';
    if (!leads && this.#leads) this.#endTerm();
    this.#leads = leads;
    if (!leads) return;
    // Before that history may not know yet what it lacks; and the rules over rows are frozen.
    if (watched.latest()?.completeness.state === 'complete') this.#slo?.refresh();
    if (this.#term.states === null) this.#load(this.#term);
    else this.#step(this.#term, watched, this.#term.states);
  }

  #endTerm(): void {
    const { alerts } = this.#term;
    for (const [outcome, count] of Object.entries(alerts.counts))
      this.#former[outcome] = (this.#former[outcome] ?? 0) + count;
    this.#ending = alerts.stop();
    this.#term = this.#newTerm();
  }

  /** What was kept; tried again with the next step where the database does not answer. */
  #load(term: Term): void {
    term.loading ??= this.#ending
      .then(() => term.alerts.load())
      .then((states) => {
        if (term !== this.#term || !this.#leads) return;
        term.states = states ?? {};
        term.alerts.start();
        if (this.#failing === LOADING) this.#failing = undefined;
      })
      .catch((error: unknown) => this.#failed(LOADING, error))
      .finally(() => {
        term.loading = null;
      });
  }

  #step(term: Term, watched: Watched, before: Readonly<Record<string, RuleState>>): void {
    const now = this.#now();
    const snapshot = watched.latest();
    const slo = this.#slo?.reading(snapshot) ?? null;
    this.#incidents.advance(now);
    const seen = this.#observer.observe({
      ...{ now, snapshot, components: watched.health().components, slo },
      ...{ incidents: this.#incidents.view(), progress: progressOf(watched.source.state()) },
    });
    const { state, transitions, reasons } = step(this.#config.rules, before, seen, this.#config.limits);
    term.states = state;
    term.reasons = reasons;
    if (transitions.length > 0) {
      this.#decide(
        term,
        state,
        transitions.map((transition) => this.#decision(transition, snapshot, slo)),
      );
    } else if (state !== before || Math.abs(now - term.keptAt) >= KEEP_MS) term.alerts.keep(state);
    else return;
    term.keptAt = now;
  }

  /** Kept and on their way first, then told to whoever watches. */
  #decide(term: Term, states: Readonly<Record<string, RuleState>>, decisions: readonly Decision[]): void {
    const { alerts, done } = term.alerts.accept(states, decisions);
    done.catch((error: unknown) => this.#failed('handing on alerts', error));
    alerts.forEach((alert, i) => {
      const { transition } = decisions[i] as Decision; // one alert for each
      this.#tell(transition, alert.title);
      this.#transitions.next(alertMessage(transition, alert));
    });
  }

  #tell({ id, rule, severity, kind, value, threshold, reason }: Transition, title: string): void {
    const level = kind === 'resolved' ? 'info' : 'warn';
    this.#log[level](
      { event_type: `alert_${kind}`, transition: id, rule, severity, value, threshold, reason },
      `alert ${kind}: ${title}`,
    );
  }

  #decision(transition: Transition, snapshot: Snapshot | null, slo: SloReading | null): Decision {
    const rule = this.#config.rules.find(({ name }) => name === transition.rule);
    const window = evidenceWindow(rule);
    const lastWeek = window && this.#slo?.lastWeek();
    return {
      transition,
      sloWords: slo?.words ?? null,
      evidence: window && this.#incidents.evidence(window),
      compared:
        lastWeek && snapshot ? { this_hour: hourOf(snapshot.windows['1h']), last_week: lastWeek } : null,
    };
  }

  /** Alerts that fail must not take the numbers with them. */
  #guarded(what: string, work: () => void): void {
    try {
      work();
      if (this.#failing === what) this.#failing = undefined;
    } catch (error) {
      this.#failed(what, error);
    }
  }

  /** Said once for each thing that goes wrong, not every second. */
  #failed(what: string, error: unknown): void {
    if (this.#failing === what) return;
    this.#failing = what;
    this.#log.error({ event_type: 'alerts_failed', error }, `failed in ${what}`);
  }
}
