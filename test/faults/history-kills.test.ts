import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { businessDifferences, differences, operationDifferences } from '../monitor/oracle.js';
import { freshDatabase, sharedVersions } from '../setup/database.js';
import { randomOf, Writer } from '../source/writers.js';
import { type Child, startChild } from './child.js';
import { connect, until } from './scene.js';

const TABLE = 'customer_sync_logs';
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
/** The program is the same; on the older server it is the statements that are to be seen working. */
const KILLS = { 15: 8, 18: 20 } as const;

/** What the monitor says of all that was ever written, of the windows, and what it keeps, against the table. */
async function untrue(child: Child, client: pg.Client): Promise<string[]> {
  const period = {
    start: new Date(Date.now() - 30 * 3_600_000 - 12_345).toISOString(),
    end: new Date().toISOString(),
  };
  const said = await child.ask(period);
  if (said.snapshot?.completeness.state !== 'complete' || said.history.state !== 'ready')
    return [`not ready: ${JSON.stringify([said.snapshot?.completeness, said.history])}`];
  const found = await differences(client, said.snapshot);
  if (!said.period) throw new Error('no period was answered');
  found.push(...(await operationDifferences(client, 'period', said.period.operations, TABLE)));
  found.push(...(await businessDifferences(client, 'period', said.period.business, TABLE)));
  if (said.history.unflushed_rows > 0) return [...found, 'rows wait for the next flush'];
  const [kept] = (
    await client.query(`SELECT sum(success + error + failed + warning + skipped)::int AS rows,
      (SELECT count(*)::int FROM ${TABLE} WHERE status <> 'pending') AS settled FROM sync_monitor.rollup WHERE level = 0`)
  ).rows;
  if (kept.rows !== kept.settled) found.push(`${kept.rows} rows are kept, the table has ${kept.settled}`);
  return found;
}

// Each waits now and then for what the other does not need: both versions at once.
describe.concurrent.each(sharedVersions())(
  'the monitor is killed again and again (PostgreSQL %i)',
  (version) => {
    test(`${KILLS[version]} times at random under load, and started again: nothing lost, nothing twice`, async () => {
      console.log(`seed ${SEED}`);
      const random = randomOf(SEED + version);
      const db = await freshDatabase(version);
      const client = await connect(db.url);
      const writers = Array.from(
        { length: 6 },
        (_, i) =>
          new Writer({ url: db.url, seed: SEED + 100 * version + i, longMs: 1_500, weights: { copy: 1 } }),
      );
      // Rows that were there before the first start: the backfill is killed too.
      await client.query(`INSERT INTO ${TABLE} (operation_type, status, customer_id, duration_ms, created_at)
      SELECT 'import_from_1c', (ARRAY['success', 'error', 'pending'])[1 + i % 3], i, i % 5000, now() - i * interval '1 second'
      FROM generate_series(1, 30000) i`);
      await Promise.all(writers.map((writer) => writer.start()));
      const config = { databaseUrl: db.url, backfillRowsPerSecond: 5_000, flushSeconds: 0.5 };
      let child = startChild(config);
      try {
        for (let i = 0; i < KILLS[version]; i++) {
          await child.ask();
          await sleep(random() * 1_500); // where it is hit is left to chance
          await child.end();
          child = startChild(config);
        }
        await Promise.all(writers.map((writer) => writer.stop()));
        expect(writers.map((writer) => writer.error)).toEqual(writers.map(() => undefined));
        let found: string[] = [];
        await until(
          async () => {
            found = await untrue(child, client);
            return found.length === 0;
          },
          'agreement',
          60_000,
        ).catch(() => expect(found).toEqual([]));
        // In order this time: what is flushed then is all that there is.
        await child.stop();
        child = startChild(config);
        await until(async () => (await untrue(child, client)).length === 0, 'agreement after a stop', 20_000);
      } finally {
        await child.end();
        await Promise.all(writers.map((writer) => writer.stop().catch(() => undefined)));
        await client.end();
        await db.drop();
      }
    }, 180_000);
  },
);
