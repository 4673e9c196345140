import pg from 'pg';
import { expect, test } from 'vitest';
import { scene, until } from './scene.js';

test('a long transaction holds the table while the monitor starts: it polls, and installs the bell later', async () => {
  let holder: pg.Client | undefined;
  const it = await scene(18, {
    before: async (client) => {
      const { rows } = await client.query('SELECT current_database() AS name');
      holder = new pg.Client({ ...client, database: rows[0].name });
      await holder.connect();
      await holder.query(
        `BEGIN; INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`,
      );
    },
  });
  expect(it.monitor.source().bell).toMatchObject({ mode: 'dead', reason: 'its trigger is not on the table' });
  await it.insert(5);
  await until(() => it.counted() === 5, 'counted without a bell');
  await holder?.query('COMMIT');
  await until(() => it.monitor.source().bell.mode === 'armed', 'installed and armed', 40_000);
  expect(await it.differences()).toEqual([]);
  await holder?.end();
  await it.end();
});
