/** What keeping history costs the database in a minute: rows of rollups, and bytes of WAL. */

import { startMonitor } from '../../src/monitor.js';
import { openArena } from './arena.js';
import type { BenchOptions, BenchResult } from './result.js';
import { historyReady, seed } from './seed.js';

export const name = 'flush';

const RATE = 700;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const seconds = quick ? 6 : 60;
  // Autovacuum comes once a minute to either measurement or to the other, and logs pages whole.
  const arena = await openArena({ autovacuum: 'off' });
  try {
    await seed(arena.client, { rows: 10_000, hours: 24 });
    const wal = async () =>
      Number((await arena.client.query(`SELECT pg_current_wal_lsn() - '0/0' AS bytes`)).rows[0].bytes);
    const kept = async () =>
      (
        await arena.client.query(
          `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::int AS rows FROM pg_stat_user_tables WHERE schemaname = 'sync_monitor'`,
        )
      ).rows[0].rows as number;
    const measure = async (history: 'auto' | 'off') => {
      const monitor = await startMonitor({ databaseUrl: arena.url, history });
      if (history === 'auto') await historyReady(monitor, arena.client);
      await arena.client.query('CHECKPOINT');
      // A page is written whole once after a checkpoint; that is the checkpoint's cost, so it is paid before.
      await arena.write(4, seconds / 6, RATE);
      const [bytes, rows] = [await wal(), history === 'auto' ? await kept() : 0];
      const written = (await arena.write(4, seconds, RATE)) * seconds;
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // the statistics follow within one second
      const after = { bytes: (await wal()) - bytes, rows: history === 'auto' ? (await kept()) - rows : 0 };
      await monitor.stop();
      return { ...after, written };
    };
    const without = await measure('off');
    const withHistory = await measure('auto');
    const perRow = (of: { bytes: number; written: number }) => of.bytes / of.written;
    const share = perRow(withHistory) / perRow(without);
    const minutes = seconds / 60;
    return {
      name,
      target: `at ${RATE} rows/s history adds at most 10 % to the WAL that the rows themselves make`,
      pass: share <= 1.1,
      ratio: share,
      lines: [
        `without history ${Math.round(perRow(without))} bytes of WAL a row, with it ${Math.round(perRow(withHistory))}`,
        `a minute: ${Math.round(withHistory.rows / minutes)} rows of history written, ${Math.round(((perRow(withHistory) - perRow(without)) * withHistory.written) / minutes / 1024)} kB of WAL`,
      ],
      data: { seconds, without, withHistory },
    };
  } finally {
    await arena.end();
  }
}
