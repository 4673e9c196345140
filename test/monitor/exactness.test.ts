import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { Writer, type WriterOptions } from '../source/writers.js';
import { differences } from './oracle.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));

/** The program is the same; on the older server it is the statements that are to be seen working. */
const LOADS = { 18: { seconds: 60, rows: 200_000 }, 15: { seconds: 15, rows: 50_000 } } as const;

const open: { monitor?: CustomerSyncMonitor; db?: TestDatabase; client?: pg.Client } = {};

afterEach(async () => {
  await open.monitor?.stop();
  await open.client?.end();
  await open.db?.drop();
});

/** All that was committed is folded, and every hole is settled. */
async function settled(monitor: CustomerSyncMonitor): Promise<void> {
  const polls = monitor.source().polls;
  await until(
    () => monitor.source().polls > polls + 2 && monitor.source().unsealedIds === 0,
    'all ids sealed',
  );
  const after = monitor.latest()?.at ?? '';
  // Two poll rounds: pending rows and ids beyond the sequence are looked at once a second.
  await until(() => Date.parse(monitor.latest()?.at ?? '') - Date.parse(after) > 2_500, 'a later snapshot');
}

test.each(sharedVersions())(
  'every number equals the table after writers of every kind (PostgreSQL %i)',
  async (version) => {
    console.log(`seed ${SEED}`);
    const db = await freshDatabase(version);
    const client = new pg.Client(db.url);
    Object.assign(open, { db, client });
    await client.connect();
    const monitor = await startMonitor({ databaseUrl: db.url });
    open.monitor = monitor;
    const options: Partial<WriterOptions>[] = [
      { weights: { bulk: 2 }, bulkRows: 100_000 },
      { weights: { long: 40 } },
    ];
    const writers = Array.from(
      { length: 32 },
      (_, i) => new Writer({ url: db.url, seed: SEED + i, longMs: 3_000, ...options[i] }),
    );
    for (const writer of writers) await writer.start();
    const { seconds, rows: atLeast } = LOADS[version];
    const end = Date.now() + seconds * 1_000;
    await until(() => Date.now() > end, 'the load has lasted', 90_000);
    await Promise.all(writers.map((writer) => writer.stop()));
    await settled(monitor);
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
    const { rows } = await client.query('SELECT count(*)::int AS n FROM customer_sync_logs');
    console.log(`${rows[0].n} rows, ${writers.reduce((sum, one) => sum + one.statements, 0)} statements`);
    expect(rows[0].n).toBeGreaterThan(atLeast);
    const snapshot = monitor.latest();
    expect(snapshot && (await differences(client, snapshot))).toEqual([]);
    expect(monitor.source().resets).toBe(0);
  },
  180_000,
);
