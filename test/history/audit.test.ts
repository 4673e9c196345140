import { afterEach, describe, expect, test } from 'vitest';
import { startOf } from '../../src/history/cover.js';
import type { FindKind } from '../../streams/audit-state.js';
import { newestVersion } from '../setup/database.js';
import { Writer } from '../source/writers.js';
import { AuditScene, HOUR } from './audit-scene.js';
import { floorTo, MINUTE, QUARTER } from './scene.js';

const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));

/** Two rows a minute of the last 30 hours, an hour of four days ago, and one of forty days ago. */
const ROWS = `INSERT INTO customer_sync_logs (operation_type, status, created_at, customer_id, duration_ms, details)
  SELECT (ARRAY['import_from_1c', 'export_to_1c', 'conflict_resolution', 'a new one'])[1 + n % 4],
    (ARRAY['success', 'success', 'error', 'pending', 'odd'])[1 + n % 5], at + n % 2 * interval '31.5 seconds', n % 50, n, '{"conflict_source": "data_import"}'
  FROM (SELECT row_number() OVER (ORDER BY at) AS n, at FROM (
    SELECT generate_series(now() - interval '30 hours', now() - interval '1 minute', interval '30 seconds') AS at
    UNION ALL SELECT generate_series(now() - interval '97 hours', now() - interval '96 hours', interval '10 seconds')
    UNION ALL SELECT generate_series(now() - interval '961 hours', now() - interval '960 hours', interval '10 seconds')) t) t`;

const ONE = (what: string, age: string) =>
  `WITH one AS (SELECT id FROM customer_sync_logs WHERE ${what} AND created_at > now() - interval '${age}' ORDER BY created_at, id LIMIT 1)`;

const SET = (what: string, where: string, age: string) =>
  `${ONE(where, age)} UPDATE customer_sync_logs t SET ${what} FROM one WHERE t.id = one.id`;

describe.each(newestVersion())('the audit on PostgreSQL %i', (version) => {
  let place: AuditScene;
  afterEach(() => place.close());

  async function agrees(): Promise<void> {
    expect(await place.kept()).toEqual(await place.told());
  }

  test('finds nothing where nothing is wrong, whoever writes and flushes meanwhile', async () => {
    console.log(`seed ${SEED}`);
    place = await AuditScene.make({ version, before: ROWS, pace: { rows: 1_000 } });
    const writers = [1, 2, 3].map(
      (i) => new Writer({ url: place.db.url, seed: SEED + i, longMs: 500, weights: { ahead: 5, long: 2 } }),
    );
    await Promise.all(writers.map((writer) => writer.start()));
    let following = true;
    const follow = (async () => {
      while (following) await place.follower.follow();
    })();
    for (let i = 0; i < 8; i++) await place.round();
    following = false;
    await Promise.all(writers.map((writer) => writer.stop()));
    await follow;
    await place.follower.follow();
    await place.round();
    const state = place.audit.state;
    expect(writers.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(place.log).toEqual([]);
    expect(state).toMatchObject({
      finds: 0,
      failures: 0,
      refolded: 0,
      not_compared: 0,
      completeness_ratio: 1,
    });
    expect(state.rows_compared).toBeGreaterThan(8 * 3_000);
    for (const zone of ['newest', 'hour', 'day', 'old'] as const)
      expect(state.rounds[zone].finished).toBeGreaterThanOrEqual(9);
    await agrees();
  });

  const changes: readonly (readonly [string, FindKind, string | RegExp, string])[] = [
    [
      'an error turned into success',
      'status',
      /^error 1 -> 0, success 0 -> 1/,
      SET("status = 'success'", "status = 'error'", '20 hours'),
    ],
    [
      'a status that nobody knew',
      'status',
      /error 1 -> 0.*strange 0 -> 1/,
      SET("status = 'strange'", "status = 'error'", '5 minutes'),
    ],
    [
      'a corrected duration',
      'duration',
      /^duration sum \d+ ms -> \d+ ms$/,
      SET('duration_ms = 7', "status = 'success'", '3 hours'),
    ],
    [
      'a duration taken away',
      'duration',
      /^durations 1 -> 0, duration sum/,
      SET('duration_ms = NULL', "status = 'error'", '3 hours'),
    ],
    [
      'another customer',
      'customers',
      'other customers',
      SET('customer_id = 9007199254740993', "status = 'success'", '2 hours'),
    ],
    [
      'a customer forgotten',
      'customers',
      'distinct customers 1 -> 0',
      SET('customer_id = NULL', "status = 'success'", '2 hours'),
    ],
    [
      'a row deleted',
      'deleted',
      /^success 1 -> 0/,
      `${ONE("status = 'success'", '10 hours')} DELETE FROM customer_sync_logs t USING one WHERE t.id = one.id`,
    ],
    [
      'success turned back into pending',
      'reopened',
      /^success 1 -> 0/,
      SET("status = 'pending'", "status = 'success'", '1 hour'),
    ],
    ['a row of four days ago', 'status', / -> /, SET("status = 'success'", "status = 'error'", '96.5 hours')],
    [
      'a row of forty days ago',
      'duration',
      / -> /,
      SET('duration_ms = duration_ms + 1', "status = 'error'", '960.5 hours'),
    ],
  ];

  test.each(changes)(
    'finds %s, and takes the minute and its windows from the table',
    async (_, kind, what, sql) => {
      place = await AuditScene.make({ version, before: ROWS });
      await place.sql('DELETE FROM sync_monitor.rollup_todo');
      const [changed = {}] = await place.sql(`${sql} RETURNING t.operation_type, t.created_at, t.id`);
      const at = (changed.created_at as Date).getTime();
      const old = at < place.store.minutesFrom;
      await place.round();
      const start = floorTo(old ? QUARTER : MINUTE)(at);
      expect(place.audit.state.last_finds).toEqual([
        {
          found_at: expect.any(String),
          start: new Date(start).toISOString(),
          minutes: old ? 15 : 1,
          operation_type: changed.operation_type,
          kind,
          what: expect.stringMatching(what),
        },
      ]);
      expect(place.audit.state).toMatchObject({ finds: 1, refolded: 1, failures: 0, completeness_ratio: 1 });
      expect(place.audit.state.finds_by_kind[kind]).toBe(1);
      await agrees();
      const bucket = floorTo(5 * MINUTE)(at);
      if (at < Date.now() - 25 * HOUR) expect(place.spans).toEqual([]);
      else expect(place.spans).toMatchObject([{ from: bucket, to: bucket + 5 * MINUTE }]);
      const todo = await place.sql('SELECT level, start FROM sync_monitor.rollup_todo ORDER BY level');
      expect(todo).toEqual(
        ([1, 2, 3] as const)
          .filter((level) => level > 1 || !old)
          .map((level) => ({ level, start: new Date(startOf(level, start)) })),
      );
      // Whatever the row does next is not a find again.
      await place.follower.follow();
      await place.sql(
        `UPDATE customer_sync_logs SET status = 'success' WHERE id = ${String(changed.id)} AND status = 'pending'`,
      );
      await place.follower.follow();
      await place.round();
      expect(place.audit.state).toMatchObject({ finds: 1, refolded: 1, failures: 0 });
      await agrees();
    },
  );

  test('finds an id that came after it was given up, but not one with an old time that was read', async () => {
    place = await AuditScene.make({ version, before: ROWS });
    const [late] = await place.sql(
      `SELECT nextval(pg_get_serial_sequence('customer_sync_logs', 'id'))::int AS id`,
    );
    await place.follower.follow();
    place.follower.giveUp();
    await place.follower.follow();
    await place.sql(
      `INSERT INTO customer_sync_logs (operation_type, status, created_at) VALUES ('created', 'success', now() - interval '5 days')`,
    );
    await place.follower.follow();
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, failures: 0 });
    await place.sql(
      `INSERT INTO customer_sync_logs (id, operation_type, status, customer_id) VALUES (${String(late?.id)}, 'created', 'success', 77)`,
    );
    await place.follower.follow();
    await place.round();
    expect(place.audit.state.last_finds).toMatchObject([
      { kind: 'late', operation_type: 'created', what: expect.stringContaining('success 0 -> 1') },
    ]);
    await agrees();
  });

  test('says which customers are in no span of the windows any more', async () => {
    place = await AuditScene.make({ version, before: ROWS });
    await place.sql(`INSERT INTO customer_sync_logs (operation_type, status, created_at, customer_id) VALUES
      ('created', 'success', now() - interval '70 minutes', 1000001), ('created', 'success', now() - interval '70 minutes', 9007199254740993)`);
    await place.follower.follow();
    await place.sql(`DELETE FROM customer_sync_logs WHERE customer_id IN (1000001, 9007199254740993)`);
    await place.round();
    expect(place.spans).toHaveLength(1);
    expect(new Set(place.spans[0]?.lostCustomers)).toEqual(new Set([1000001, '9007199254740993']));
  });
});
