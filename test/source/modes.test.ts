/** Each setting of the bell on each shape of table, under writers of every kind; and two monitors of one database. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { NotReadyError } from '../../src/monitor-types.js';
import { keysOf } from '../../src/source/keeper.js';
import { agree } from '../monitor/agree.js';
import { operationDifferences } from '../monitor/oracle.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask, type Version } from '../setup/postgres.js';
import { until } from './collector.js';
import { createTable } from './tables.js';
import { Writer, type WriterOptions } from './writers.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));

interface Shape {
  readonly table: string;
  readonly setup: string;
  readonly writers?: Partial<WriterOptions>;
  /** What the oracle asks, where the table itself lacks columns. */
  readonly oracle?: string;
}

const NOW = { created_at: 'timestamptz NOT NULL DEFAULT clock_timestamp()' };
const INDEXES = (table: string) => `CREATE INDEX ON ${table} (created_at); CREATE INDEX ON ${table} (status)`;

const SHAPES: Record<string, Shape> = {
  plain: { table: 'customer_sync_logs', setup: 'SELECT 1' },
  quoted: {
    table: '"Portal"."Sync ""Log"""',
    setup: `CREATE SCHEMA "Portal"; ${createTable('"Portal"."Sync ""Log"""', { ...NOW, id: 'serial PRIMARY KEY' })};
      ${INDEXES('"Portal"."Sync ""Log"""')}`,
    // An integer id has no room for the ids that are given far ahead.
    writers: { weights: { ahead: 0 } },
  },
  // As Django would name it, with what other portals have beside our columns, and without what they lack.
  other: {
    table: 'common_customersynclog',
    setup: `${createTable('common_customersynclog', {
      ...NOW,
      id: 'bigserial PRIMARY KEY',
      correlation_id: 'uuid',
      customer_email: undefined,
      'Session Id': 'varchar(40)',
      ip_address: `inet DEFAULT '10.0.0.1'`,
      user_agent: `text DEFAULT 'agent'`,
    })}; ${INDEXES('common_customersynclog')}`,
    writers: { uuid: true },
  },
  bare: {
    table: 'bare',
    setup: `CREATE TABLE bare (id bigserial PRIMARY KEY, operation_type text, status text, created_at timestamptz DEFAULT clock_timestamp());
      CREATE VIEW bare_oracle AS SELECT *, NULL::bigint AS customer_id, NULL::int AS duration_ms, NULL::jsonb AS details FROM bare`,
    writers: { bare: true },
    oracle: 'bare_oracle',
  },
  // By status, so that an UPDATE moves the row into another partition.
  partitioned: {
    table: 'parted',
    setup: `${createTable('parted', { ...NOW, id: 'bigserial' }, 'PARTITION BY LIST (status)')};
      ALTER TABLE parted ADD PRIMARY KEY (id, status); ${INDEXES('parted')};
      CREATE TABLE parted_pending PARTITION OF parted FOR VALUES IN ('pending');
      CREATE TABLE parted_good PARTITION OF parted FOR VALUES IN ('success', 'skipped', 'warning');
      CREATE TABLE parted_rest PARTITION OF parted DEFAULT PARTITION BY HASH (id);
      CREATE TABLE parted_rest_0 PARTITION OF parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE parted_rest_1 PARTITION OF parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1)`,
    // The same id again would be no conflict here, and ids have to be unique.
    writers: { weights: { conflict: 0 } },
  },
};

const RUNS: Record<Version, [shape: string, bell: 'auto' | 'always' | 'off'][]> = {
  18: [
    ['plain', 'off'],
    ['plain', 'always'],
    ['partitioned', 'auto'],
    ['bare', 'auto'],
    ['other', 'auto'],
    ['quoted', 'off'],
  ],
  15: [
    ['plain', 'auto'],
    ['quoted', 'auto'],
    ['other', 'off'],
    ['partitioned', 'always'],
    ['bare', 'off'],
  ],
};

// Each waits for its load: both versions at once.
describe.concurrent.each(sharedVersions())('on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  const monitors: CustomerSyncMonitor[] = [];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
  });
  afterEach(async () => {
    for (const monitor of monitors.splice(0)) await monitor.stop();
    await client.end();
    await db.drop();
  });

  async function start(options: { bell?: 'auto' | 'always' | 'off'; table?: string } = {}) {
    const monitor = await startMonitor({ databaseUrl: db.url, ...options });
    monitors.push(monitor);
    return monitor;
  }

  async function underLoad(
    ms: number,
    options: Partial<WriterOptions>,
    during: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const writers = Array.from(
      { length: 6 },
      (_, i) => new Writer({ url: db.url, seed: SEED + i, longMs: 700, bulkRows: 5_000, ...options }),
    );
    for (const writer of writers) await writer.start();
    const end = performance.now() + ms;
    await during();
    await until(() => performance.now() > end, 'the load has lasted');
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
  }

  test.sequential.each(RUNS[version])(
    'a %s table with BELL=%s: every number equals the table',
    async (name, bell) => {
      console.log(`seed ${SEED}`);
      const shape = SHAPES[name] as Shape;
      await client.query(shape.setup);
      const monitor = await start({ bell, table: shape.table });
      if (bell === 'auto') await until(() => monitor.source().bell.mode === 'armed', 'armed while idle');
      await underLoad(3_000, {
        ...shape.writers,
        table: shape.table,
        weights: { bulk: 0.3, long: 4, ...shape.writers?.weights },
      });
      await agree(monitor, client, shape.oracle ?? shape.table);
      await until(() => monitor.source().unsealedIds === 0, 'all ids are sealed');
      const state = monitor.source();
      expect(state).toMatchObject({ resets: 0, givenUp: 0, pendingUntracked: 0 });
      expect(state.sealedId).toBe(state.highId);
      if (bell === 'off') expect(state).toMatchObject({ bells: 0, bell: { mode: 'off' } });
      else expect(state.bells).toBeGreaterThan(0);
      if (bell === 'always') expect(state.bell.mode).toBe('armed');
      if (bell === 'auto') await until(() => monitor.source().bell.mode === 'armed', 'armed again');
      expect(monitor.latest()?.completeness).toEqual({ state: 'complete', ratio: 1, reasons: [] });
    },
  );

  test.sequential('a second monitor stands by, and takes over when the first ends', async () => {
    const first = await start();
    await until(() => first.source().bell.mode === 'armed', 'the first is armed');
    const second = await start();
    await until(() => second.source().role === 'standby', 'the second stands by');
    const holders = async () => {
      const [high, low] = keysOf('public.customer_sync_logs').bellWords;
      return ask(
        db.url,
        `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
           AND classid = ${high}::oid AND objid = ${low}::oid`,
      );
    };
    await underLoad(2_000, {}, async () => {
      for (let i = 0; i < 20; i++) {
        expect((await holders()).length).toBeLessThanOrEqual(1);
        expect(second.source().bell.mode).not.toBe('armed');
      }
    });
    await agree(first, client);
    expect(first.source().role).toBe('leader');
    const refused = () => second.getRealTimeMetrics();
    expect(refused).toThrow(NotReadyError);
    expect(refused).toThrow(expect.objectContaining({ code: 'standby' }));
    // Periods come from the table, whoever leads.
    const day = await second.getOperationMetrics();
    expect(await operationDifferences(client, 'the day', day, 'customer_sync_logs')).toEqual([]);
    // It is alive, and says itself that it knows nothing.
    expect(second.source()).toMatchObject({
      role: 'standby',
      connected: true,
      polls: 0,
      bell: { mode: 'disarmed', reason: 'another monitor follows this table' },
    });
    expect(second.getSystemHealth().components.database?.status).toBe('healthy');
    await first.stop();
    expect(first.source().role).toBe('stopped');
    await until(() => second.source().role === 'leader', 'the second takes over');
    await underLoad(1_000, {});
    await agree(second, client);
    expect(second.getRealTimeMetrics().completeness.state).toBe('complete');
    await until(() => second.source().bell.mode === 'armed', 'the second is armed');
    expect(await holders()).toHaveLength(1);
  });

  test.sequential('the leadership is lost with its connection, and found again by one of them', async () => {
    const monitors = [await start(), await start(), await start()];
    const leaders = () => monitors.filter((monitor) => monitor.source().role === 'leader');
    await until(() => leaders().length === 1, 'one leads');
    for (let round = 0; round < 3; round++) {
      const [leader] = leaders();
      const polls = leader?.source().polls ?? 0;
      await until(() => (leader?.source().polls ?? 0) > polls, 'it polls');
      // Its keeper: the session that holds the advisory locks.
      await client.query(`SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`,
      );
      const counted = () =>
        leaders().some((one) => one.latest()?.windows['1h'].total_operations === round + 1);
      await until(counted, 'whoever leads has the row');
      await until(() => leaders().length === 1, 'one leads');
    }
    const [leader] = leaders();
    if (!leader) throw new Error('nobody leads');
    await agree(leader, client);
  });
});
