/** A monitor's alerts on a real database, with a real receiver and a clock that the test turns. */
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach } from 'vitest';
import { Alerts } from '../../src/alerts/alerts.js';
import type { AlertsOptions } from '../../src/alerts/alerts-options.js';
import type { Decision } from '../../src/alerts/compose.js';
import { type Receiver as Configured, type ReceiverSpec, receiverOf } from '../../src/alerts/receivers.js';
import { Link } from '../../src/source/connection.js';
import type { RuleState, Transition } from '../../streams/alert.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import type { Version } from '../setup/postgres.js';
import { ask } from '../setup/postgres.js';
import { KNOWN, RULE, STARTED, transitionOf } from './notices.js';
import { type Receiver, SECRET, startReceiver } from './receiver.js';

export const POLICY = { allowHttp: false, denyPrivate: false };
export const TABLE = 'public.customer_sync_logs';
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export async function installSchema(url: string): Promise<void> {
  for (const file of ['001_schema.sql', '003_alerts.sql'])
    await ask(url, await readFile(new URL(`../../sql/${file}`, import.meta.url), 'utf8'));
}

export function configured(spec: ReceiverSpec): Configured {
  return receiverOf(spec, { policy: POLICY, secret: SECRET, locale: 'en' });
}

/** A firing rule's state, as streams/rules.ts has it. */
export function firingState(startsAt = STARTED): RuleState {
  return {
    ...{ phase: 'firing', since: startsAt, value: 25, peak: 25, startsAt, countedFrom: null, frozenAt: null },
    ...{ lastNoticeAt: startsAt, noticed: true, reminders: 0, severity: 'critical', threshold: 10 },
  };
}

export interface Scene {
  readonly alerts: Alerts;
  readonly link: Link;
  readonly log: string[];
  /** ms of the database's clock; the test moves it. */
  now: number;
  /** Decides, as streams/rules.ts would; the state follows from the kind. */
  decide(...changes: Partial<Transition>[]): Promise<void>;
  /** Lets time pass, and what is due happen, step by step. */
  pass(ms: number, step?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openScene(
  url: string,
  receivers: readonly ReceiverSpec[],
  options: Partial<AlertsOptions> = {},
): Promise<Scene> {
  const link = new Link('alerts', { url, queryTimeoutMs: 5_000 });
  const log: string[] = [];
  const say = (level: string) => (fields: object, message: string) =>
    void log.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const scene: { now: number } = { now: STARTED };
  const states: Record<string, RuleState> = {};
  const alerts = new Alerts({
    connection: link,
    table: TABLE,
    rules: [RULE, { ...RULE, name: 'slow_response', measure: 'duration_p95_1h' }],
    receivers: receivers.map(configured),
    templates: {},
    locale: 'en',
    policy: POLICY,
    publicUrl: null,
    rateLimitSeconds: 300,
    cooldowns: [],
    clock: () => scene.now,
    random: () => 0.5,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    ...options,
  });
  return Object.assign(scene, {
    alerts,
    link,
    log,
    async decide(...changes: Partial<Transition>[]) {
      const decisions: Decision[] = changes.map((one) => {
        const transition = transitionOf({ at: scene.now, startsAt: STARTED, ...one });
        if (transition.kind === 'resolved') delete states[transition.rule];
        else states[transition.rule] = firingState(transition.startsAt);
        return {
          transition: { ...transition, endsAt: transition.kind === 'resolved' ? scene.now : null },
          ...KNOWN,
        };
      });
      await alerts.accept({ ...states }, decisions).done;
    },
    async pass(ms: number, step = Math.min(ms, 5_000)) {
      for (const end = scene.now + ms; scene.now < end; ) {
        scene.now = Math.min(scene.now + step, end);
        await alerts.round();
      }
    },
    async close() {
      await alerts.stop();
      link.close();
    },
  });
}

/** For each test of a file: a database with the schema, and a receiver; ends what was opened. */
export function deliveryScene(version: Version) {
  let db: TestDatabase;
  let receiver: Receiver;
  const scenes: Scene[] = [];
  beforeEach(async () => {
    db = await freshDatabase(version);
    await installSchema(db.url);
    receiver = await startReceiver();
  });
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
    await receiver.close();
    await db.drop();
  });
  const unloaded = async (receivers: readonly ReceiverSpec[], options: Partial<AlertsOptions> = {}) => {
    const scene = await openScene(db.url, receivers, options);
    scenes.push(scene);
    return scene;
  };
  return {
    get db() {
      return db;
    },
    get receiver() {
      return receiver;
    },
    unloaded,
    /** With one receiver, `ops`, and what was kept. */
    async open(options: Partial<AlertsOptions> = {}, url = receiver.url): Promise<Scene> {
      const scene = await unloaded([{ name: 'ops', url }], options);
      await scene.alerts.load();
      return scene;
    },
    /** Of what the receiver got. */
    kinds: (): string[] =>
      receiver.received.map(({ body }) => {
        const { state, details } = JSON.parse(body);
        return details.kind === 'reminder' ? 'reminder' : state;
      }),
  };
}

/** The outbox as the database has it, in order. */
export async function outboxOf(url: string): Promise<Record<string, unknown>[]> {
  return ask(
    url,
    'SELECT kind, receiver, rule, attempts, outcome, reason FROM sync_monitor.outbox ORDER BY seq',
  );
}
