/** An outage of the database as the log tells it: once when it begins, once when it ends, however long it lasts. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../src/log.js';
import { ownCluster, scene, until } from './faults/scene.js';
import type { Cluster } from './setup/postgres.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await ownCluster(18);
});
afterAll(() => cluster?.destroy());

test('an outage is two lines, and no line knows a password', async () => {
  const written: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => void written.push(line) });
  const withPassword = (url: string) => {
    const other = new URL(url);
    other.password = 'hunter2';
    return other.href;
  };
  const it = await scene(18, { cluster, config: { log }, through: withPassword });
  const linesOf = (type: string) =>
    written.map((line) => JSON.parse(line)).filter((line) => line.event_type === type);
  for (const outage of [1, 2]) {
    await cluster.stop('fast');
    await until(() => linesOf('database_lost').length >= outage, 'its begin is told');
    // It lasts for several attempts, none of which may be told.
    const from = performance.now();
    await until(() => performance.now() - from > 2_500, 'some attempts');
    await cluster.start();
    await until(() => linesOf('database_back').length >= outage, 'its end is told');
    expect(linesOf('database_lost')).toHaveLength(outage);
    expect(linesOf('database_back')).toHaveLength(outage);
  }
  expect(linesOf('database_lost')[0]).toMatchObject({ level: 'error', reason: expect.any(String) });
  expect(linesOf('database_back')[0]).toMatchObject({ level: 'info', seconds: expect.any(Number) });
  expect(written.join('')).not.toContain('hunter2');
  await it.reconnect();
  await it.end();
});
