import { expect, test } from 'vitest';
import { differences } from '../monitor/oracle.js';
import { freshDatabase } from '../setup/database.js';
import { type Said, startChild } from './child.js';
import { byLength } from './length.js';
import { connect, until } from './scene.js';

const ROWS = byLength(100_000, 1_000_000);

const INSERT = `INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, correlation_id, duration_ms, details, error_message, created_at)
  SELECT (ARRAY['import_from_1c','export_to_1c','sync_changes','customer_identification','conflict_resolution','data_validation'])[1 + i % 6],
    CASE WHEN i % 50 = 0 THEN 'pending' ELSE (ARRAY['success','success','success','error','warning'])[1 + (i / 6) % 5] END, i::bigint * 7919 % 1000000,
    'customer' || i || '@example.com', 'run-' || i / 10, i % 5000, '{"conflict_source": "data_import", "search_method": "email"}',
    CASE WHEN i % 6 = 3 THEN repeat('refused ', 40) END, `;

test(
  `a heap of at most 256 MB, ${ROWS} rows at the start and as many in one statement: counted, all true, no larger`,
  async () => {
    const db = await freshDatabase(18);
    const client = await connect(db.url);
    await client.query(
      `${INSERT} now() - i * interval '23 hours' / ${ROWS} FROM generate_series(1, ${ROWS}) i`,
    );
    const child = startChild({ databaseUrl: db.url, backfillRowsPerSecond: 1_000_000 }, [
      '--max-old-space-size=256',
    ]);
    try {
      let last: Said | undefined;
      let most = 0;
      const counted = (rows: number) =>
        until(
          async () => {
            last = await child.ask();
            most = Math.max(most, last.rss);
            const { snapshot, history } = last;
            return (
              snapshot?.windows['24h'].total_operations === rows &&
              snapshot.completeness.state === 'complete' &&
              history.state === 'ready'
            );
          },
          `${rows} rows counted`,
          byLength(60_000, 240_000),
        ).catch((error: unknown) => {
          const { state, history, snapshot, log, rss } = last ?? {};
          throw new Error(
            JSON.stringify({
              state,
              history,
              rss,
              completeness: snapshot?.completeness,
              log: log?.slice(-10),
            }),
            { cause: error },
          );
        });
      await counted(ROWS);
      await client.query(`${INSERT} now() FROM generate_series(1, ${ROWS}) i`);
      await counted(2 * ROWS);
      if (!last?.snapshot) throw new Error('no snapshot');
      expect(await differences(client, last.snapshot)).toEqual([]);
      expect(last.state).toMatchObject({ resets: 0, givenUp: 0 });
      console.log(`resident set at most ${Math.round(most / 1e6)} MB with ${2 * ROWS} rows`);
      // The heap, and what lies beside it: buffers, code, stacks.
      expect(most).toBeLessThan(512e6);
    } finally {
      await child.end();
      await client.end();
      await db.drop();
    }
  },
  byLength(150_000, 900_000),
);
