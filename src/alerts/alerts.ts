/**
 * Alerts after they were decided on: kept, told, acknowledged, silenced. One object for the leader; it is told each
 * decision of streams/rules.ts and does the rest. Notices are written down before they are sent; where the database
 * does not answer (it may be what the alert is about) they are sent all the same, and written down when it does.
 */
import type { Rule, RuleState } from '../../streams/alert.js';
import type {
  AckWire,
  AlertQuery,
  AlertWire,
  SilenceRequest,
  SilenceWire,
} from '../../streams/alerts-view.js';
import { type AttemptView, ackedIds, acknowledge, listAlerts, listAttempts } from './alert-store.js';
import type { AlertsOptions } from './alerts-options.js';
import { type Accepted, compose, type Decision } from './compose.js';
import { Cooldown } from './cooldown.js';
import { postgresCooldown } from './cooldown-postgres.js';
import { type Db, reconnecting } from './db.js';
import { type Counted, Delivery, type ReceiverView } from './delivery.js';
import { type AlertRecord, Journal } from './journal.js';
import { deliveredBodies, loadKept, prune } from './journal-load.js';
import { KEEP_ALIVE_MS, KeepAlive } from './keep-alive.js';
import { Patience } from './patience.js';
import { createSilence, endSilence, isSilenced, listSilences } from './silences.js';

/** What has to be done without being asked: writing down, looking for silences. ms */
const TICK_MS = 5_000;
const PRUNE_MS = 3_600_000;
const PATIENCE_MS = 3_000;
/** Between two beats that nobody asked for. */
const MIN_WAIT_MS = 50;

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #db: Db;
  readonly #journal: Journal;
  readonly #delivery: Delivery;
  readonly #keepAlive: KeepAlive;
  readonly #patience: Patience;
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #active = new Map<string, AlertRecord>();
  readonly #acked = new Set<string>();
  readonly #stopping = new AbortController();
  #silences: readonly SilenceWire[] = [];
  #reading: Promise<void> | null = null;
  #readAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #beating = false;
  #lostTold = 0;

  constructor(options: AlertsOptions) {
    this.#options = options;
    const { table, receivers, policy, log } = options;
    this.#db = reconnecting(options.connection);
    this.#rules = new Map(options.rules.map((rule) => [rule.name, rule]));
    this.#journal = new Journal(this.#db, table);
    this.#keepAlive = new KeepAlive(receivers, policy, log);
    this.#patience = new Patience(log, options.patienceMs ?? PATIENCE_MS);
    this.#delivery = new Delivery({
      ...{ receivers, policy, log, journal: this.#journal, clock: options.clock },
      ...{ limits: options.limits, outboxLimit: options.outboxLimit },
      random: options.random ?? Math.random,
      cooldown: new Cooldown(
        [...options.cooldowns, postgresCooldown(this.#db, table)],
        options.rateLimitSeconds,
        log,
      ),
      isSilenced: (rule, now) => isSilenced(this.#silences, rule, now),
      onDelivered: (notice) => this.#keepAlive.told(notice),
      save: () => this.#save(),
    });
  }

  /**
   * Goes on from where the last leader ended. Gives the states of the rules that were kept; null where there are none.
   * To be called once, before the first decision.
   * @throws what the database said; it may be tried again
   */
  async load(): Promise<Readonly<Record<string, RuleState>> | null> {
    const { table, log } = this.#options;
    const kept = await loadKept(this.#db, table);
    const bodies = await deliveredBodies(this.#db, table, this.#keepAlive.receivers);
    this.#delivery.restore(kept.pending, kept.gone);
    for (const id of kept.acked) this.#acked.add(id);
    for (const one of bodies) this.#keepAlive.told(one);
    for (const alert of kept.active) {
      const state = kept.states?.[alert.rule];
      if (state?.phase === 'firing' && state.startsAt === alert.startsAt) {
        this.#active.set(alert.id, alert);
        continue;
      }
      log.warn(
        { event_type: 'alert_orphaned', alert: alert.id },
        `nothing is known of the rule state behind the alert ${alert.id}; it is closed`,
      );
      this.#keepAlive.told({ ...alert, alertId: alert.id, kind: 'resolved', receiver: '', body: '' });
      this.#journal.alert({ ...alert, endsAt: Math.max(this.#options.clock(), alert.startsAt) });
    }
    return kept.states;
  }

  /** Begins to send. */
  start(): void {
    this.#running = true;
    this.#schedule(0);
  }

  /** Ends at once; what was not delivered is kept. */
  async stop(): Promise<void> {
    this.#running = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#delivery.stop();
    await this.#save();
  }

  /**
   * Takes the states of the rules after a step and what was decided in it: both are written down together. `done` never
   * fails because of the database or a receiver.
   */
  accept(states: Readonly<Record<string, RuleState>>, decisions: readonly Decision[]): Accepted {
    this.#journal.states(states);
    const alerts = decisions.map((decision) => {
      const { alert, notices } = compose(decision, { ...this.#options, rules: this.#rules });
      this.#remember(alert);
      if (decision.transition.kind === 'reminder' && this.#acked.has(alert.id)) return alert;
      for (const notice of notices) this.#delivery.add(notice);
      return alert;
    });
    return { alerts, done: this.#save().then(() => this.#schedule(0)) };
  }

  /** Takes the states of the rules where nothing was decided; they are written down with the next tick. */
  keep(states: Readonly<Record<string, RuleState>>): void {
    this.#journal.states(states);
  }

  /** One beat of what start() does, awaited: what is due now has been attempted when it is done. */
  async round(): Promise<void> {
    await this.#tick();
    await this.#delivery.round();
    await this.#save();
  }

  /** Alerts that fire, as far as they were told. */
  get firing(): readonly AlertRecord[] {
    return [...this.#active.values()];
  }

  /** Failed attempts (`retry`, `refused`) and ended notices since the start, by outcome. */
  get counts(): Readonly<Record<Counted, number>> {
    return this.#delivery.counts;
  }

  /** Notices on their way. */
  get pending(): number {
    return this.#delivery.pending;
  }

  /** Records of what is over that could not be kept: the database was away for too long. */
  get lost(): number {
    return this.#journal.lost;
  }

  receivers(): ReceiverView[] {
    return this.#delivery.receivers();
  }

  /** Alerts, newest first. @throws what the database said */
  async list(query: AlertQuery): Promise<AlertWire[]> {
    await this.#save();
    return listAlerts(this.#db, this.#options.table, query, this.#options.clock());
  }

  /** The delivery log, newest first. @throws what the database said */
  attempts(query: {
    readonly receiver?: string | undefined;
    readonly limit: number;
  }): Promise<AttemptView[]> {
    return listAttempts(this.#db, this.#options.table, query);
  }

  /** Somebody has this alert in hand: it is not reminded of. Null for an unknown one. @throws likewise */
  async acknowledge(id: string, ack: Pick<AckWire, 'by' | 'note'>): Promise<AlertWire | null> {
    await this.#save();
    const alert = await acknowledge(this.#db, this.#options.table, id, ack, this.#options.clock());
    if (alert) this.#acked.add(id);
    return alert;
  }

  /** Silences that have not ended; with `past` the others too. @throws likewise */
  silences(past = false): Promise<SilenceWire[]> {
    return listSilences(this.#db, this.#options.table, this.#options.clock(), past);
  }

  /** @throws SilenceError for one that cannot be, and likewise */
  async silence(silence: SilenceRequest): Promise<SilenceWire> {
    const { table, clock } = this.#options;
    const made = await createSilence(this.#db, table, silence, [...this.#rules.keys()], clock());
    await this.#readAnew();
    return made;
  }

  /** Null where there is none of this id that has not ended. @throws likewise */
  async endSilence(id: number): Promise<SilenceWire | null> {
    const ended = await endSilence(this.#db, this.#options.table, id, this.#options.clock());
    await this.#readAnew();
    this.#schedule(0);
    return ended;
  }

  #remember(alert: AlertRecord): void {
    const known = this.#active.get(alert.id);
    // Its words stay those with which it began.
    const record = known
      ? { ...alert, title: known.title, message: known.message, evidence: known.evidence }
      : alert;
    if (record.endsAt === null) {
      this.#active.set(alert.id, record);
    } else {
      this.#active.delete(alert.id);
      this.#acked.delete(alert.id);
    }
    this.#journal.alert(record);
  }

  #schedule(wait = Math.max(MIN_WAIT_MS, this.#delivery.nextTime() - this.#options.clock())): void {
    // A beat under way ends with this.
    if (!this.#running || this.#beating) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#beat(), Math.min(wait, TICK_MS));
  }

  async #beat(): Promise<void> {
    this.#beating = true;
    try {
      await this.#tick();
      if (this.#running) this.#delivery.begin(() => this.#schedule());
    } finally {
      this.#beating = false;
      this.#schedule();
    }
  }

  async #tick(): Promise<void> {
    const now = this.#options.clock();
    if (this.#journal.dirty) await this.#save();
    this.#tellLost();
    if (Math.abs(now - this.#readAt) >= TICK_MS) await this.#read();
    if (Math.abs(now - this.#renewedAt) >= KEEP_ALIVE_MS) {
      this.#renewedAt = now;
      void this.#keepAlive.renew(this.#stopping.signal);
    }
    if (Math.abs(now - this.#prunedAt) >= PRUNE_MS) {
      this.#prunedAt = now;
      void this.#patience.wait(prune(this.#db, this.#options.table, now));
    }
  }

  #tellLost(): void {
    const { lost } = this.#journal;
    if (lost === this.#lostTold) return;
    this.#options.log.error(
      { event_type: 'alert_records_lost', lost },
      `${lost - this.#lostTold} records of past alerts and deliveries could not be kept: the database was away for too long`,
    );
    this.#lostTold = lost;
  }

  /** Silences and acknowledgements: somebody else may have made them. */
  async #read(): Promise<void> {
    const { table, clock } = this.#options;
    const now = clock();
    this.#readAt = now;
    this.#reading ??= (async () => {
      this.#silences = await listSilences(this.#db, table, now);
      for (const id of await ackedIds(this.#db, table)) this.#acked.add(id);
    })().finally(() => {
      this.#reading = null;
    });
    await this.#patience.wait(this.#reading);
  }

  /** After a change of our own: what is being read now may be from before it. */
  async #readAnew(): Promise<void> {
    await this.#reading?.catch(() => undefined);
    await this.#read();
  }

  async #save(): Promise<void> {
    await this.#patience.wait(this.#journal.flush());
  }
}
