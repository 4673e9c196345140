import { expect, test } from 'vitest';
import { sharedVersions } from '../setup/database.js';
import { scene, until } from './scene.js';

// Paced by the faults: both versions at once.
test.concurrent.each(sharedVersions())(
  'the monitor loses its backends at random every 300 ms under load, and no number (PostgreSQL %i)',
  async (version) => {
    const it = await scene(version);
    const writers = await it.writers(8);
    let kills = 0;
    while (kills < 100) {
      const before = kills;
      const rows = await it.sql(
        `SELECT pg_terminate_backend(pid) AS killed FROM pg_stat_activity
         WHERE application_name = 'customer-sync-monitor' AND datname = current_database() ORDER BY random() LIMIT 1`,
      );
      kills += rows.length;
      await new Promise((resolve) => setTimeout(resolve, 300)); // the pace of the faults, not a wait
      if (kills === before) await until(() => it.monitor.source().connected, 'connected again');
    }
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
    expect(await it.differences()).toEqual([]);
    console.log(`resets ${it.monitor.source().resets}, ${it.monitor.source().lastResetReason}`);
    await it.end();
  },
  120_000,
);
