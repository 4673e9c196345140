import { expect, test } from 'vitest';
import { insertInto, scene, until } from './scene.js';

test('a long transaction holds the table while the monitor starts: it polls, and installs the bell later', async () => {
  const it = await scene(18, {
    before: async (client) => {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`,
      );
    },
  });
  const other = await it.session();
  expect(it.monitor.source().bell).toMatchObject({ mode: 'dead', reason: 'its trigger is not on the table' });
  await insertInto(other, 'customer_sync_logs', 5);
  await until(() => it.counted() === 5, 'counted without a bell');
  await it.sql('COMMIT');
  await until(() => it.monitor.source().bell.mode === 'armed', 'installed and armed', 40_000);
  expect(await it.differences()).toEqual([]);
  await it.end();
});
