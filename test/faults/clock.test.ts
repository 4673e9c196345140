import { describe, expect, test } from 'vitest';
import { differences, operationDifferences } from '../monitor/oracle.js';
import { adminUrl, freshDatabase, sharedVersions } from '../setup/database.js';
import { type Said, startChild } from './child.js';
import { byLength } from './length.js';
import { connect, insertInto, until } from './scene.js';

const TABLE = 'customer_sync_logs';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** One after another, ms: what NTP, somebody with `date`, and a virtual machine that is resumed do. */
const STEPS = byLength(
  [7 * MINUTE, -26 * HOUR],
  [7 * MINUTE, -11 * MINUTE, 1_500, -2_500, 26 * HOUR, -50 * HOUR, 40 * DAY, -400 * DAY, 361 * DAY, DAY],
);

describe.each(
  byLength([18] as const, [18, 15] as const).filter((version) => sharedVersions().includes(version)),
)("the clock of the monitor's host is set (PostgreSQL %i)", (version) => {
  test('windows, periods and history go by the database; nothing begins anew, nothing is mended', async () => {
    const db = await freshDatabase(version);
    const portal = await connect(db.url);
    const child = startChild({ databaseUrl: db.url, flushSeconds: 0.5 });
    const said = async (what: string, condition: (said: Said) => boolean): Promise<Said> => {
      let last = await child.ask();
      await until(async () => {
        last = await child.ask();
        return condition(last);
      }, what).catch((error: unknown) => {
        const { state, history, health, log } = last;
        throw new Error(JSON.stringify({ state, history, health, log }, null, 1), { cause: error });
      });
      return last;
    };
    try {
      let rows = 0;
      let stepped = 0;
      for (const step of [0, ...STEPS]) {
        const before = await said('armed', ({ state }) => state.bell.mode === 'armed');
        const { host } = await child.ask({ step_ms: step });
        stepped += step;
        expect(Math.abs(Date.parse(host) - Date.now() - stepped)).toBeLessThan(MINUTE);
        await insertInto(portal, TABLE, 10);
        // A row of two hours ago too, which no window but the longest may hold.
        await portal.query(
          `INSERT INTO ${TABLE} (operation_type, status, created_at) VALUES ('sync_changes', 'error', now() - interval '2 hours')`,
        );
        rows += 11;
        const { at = '' } = before.snapshot ?? {};
        const after = await said(
          'rows counted, flushed and shown on',
          ({ snapshot, history, health }) =>
            snapshot?.windows['24h'].total_operations === rows &&
            snapshot.completeness.state === 'complete' &&
            Date.parse(snapshot.at) > Date.parse(at) + 1_200 &&
            history.unflushed_rows === 0 &&
            health.status === 'healthy',
        );
        const [now] = (await portal.query('SELECT clock_timestamp() AS at')).rows;
        expect(Math.abs(now.at.getTime() - Date.parse(after.snapshot?.at ?? ''))).toBeLessThan(MINUTE);
        if (after.snapshot === null) throw new Error('no snapshot');
        expect(await differences(portal, after.snapshot)).toEqual([]);
        expect(after.state).toMatchObject({ resets: 0, role: 'leader', unsealedIds: 0 });
        expect(after.audit?.finds).toBe(0);
        expect(after.health.status).toBe('healthy');
        // Without bounds that a caller could have taken from a clock of its own.
        const { period } = await child.ask({
          start: new Date(now.at.getTime() - 3 * HOUR).toISOString(),
          end: now.at.toISOString(),
        });
        expect(period?.operations.total_operations).toBe(rows);
        if (period)
          expect(await operationDifferences(portal, 'period', period.operations, TABLE)).toEqual([]);
      }
      // An outage over a step lasts as long as it did.
      const admin = await connect(adminUrl(version));
      await admin.query(`ALTER DATABASE ${db.name} ALLOW_CONNECTIONS false`);
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${db.name}' AND application_name LIKE 'customer-sync-monitor%'`,
      );
      await said('lost', ({ state }) => !state.connected);
      await child.ask({ step_ms: -DAY });
      await admin.query(`ALTER DATABASE ${db.name} ALLOW_CONNECTIONS true`);
      await admin.end();
      const { log } = await said('read again', (one) =>
        one.log.some((line) => line.includes('reading again')),
      );
      const [, seconds] = /reading again after (-?\d+) s/.exec(log.join('\n')) ?? [];
      expect(Number(seconds)).toBeGreaterThanOrEqual(0);
      expect(Number(seconds)).toBeLessThan(60);
    } finally {
      await child.end();
      await portal.end();
      await db.drop();
    }
  });
});
