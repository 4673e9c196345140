import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { startTraffic, type Traffic } from '../../src/cli/traffic.js';
import { writeHistory } from '../../src/cli/traffic-history.js';
import { CALM } from '../../src/cli/traffic-row.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask, startCluster } from '../setup/postgres.js';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function database(): Promise<TestDatabase> {
  const made = await freshDatabase();
  cleanups.push(() => made.drop());
  return made;
}

/** What the traffic logs, and a way to wait for it. */
function ear() {
  const heard: string[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void heard.push(JSON.parse(line).event_type) },
  );
  return { log, heard };
}

function start(url: string, options: Partial<Parameters<typeof startTraffic>[0]> = {}): Traffic {
  const traffic = startTraffic({ url, rate: 400, seed: 1, log: ear().log, ...options });
  cleanups.push(() => traffic.stop());
  return traffic;
}

async function count(url: string, where = 'true'): Promise<unknown> {
  const [row] = await ask(url, `SELECT count(*)::int AS n FROM customer_sync_logs WHERE ${where}`);
  return row?.n;
}

const soon = { timeout: 20_000, interval: 50 };

it('writes rows, finishes pending ones, and has committed what it says it wrote', async () => {
  const { url } = await database();
  const traffic = start(url);
  await expect.poll(() => count(url, 'updated_at > created_at'), soon).toBeGreaterThan(5);
  await traffic.stop();
  await traffic.stop();
  // A statement that was cut by the stop may have been committed without our knowing.
  const rows = Number(await count(url));
  expect(rows).toBeGreaterThanOrEqual(traffic.written());
  expect(rows - traffic.written()).toBeLessThan(50);
  expect(await count(url, "status <> 'pending' AND created_at > now() + interval '1 s'")).toBe(0);
});

it('stops at once, also in the middle of connecting, and against a database that is stuck', async () => {
  const { url } = await database();
  await start(url).stop();
  const cluster = await startCluster({ fsync: false });
  cleanups.push(() => cluster.destroy());
  process.kill(cluster.pid(), 'SIGSTOP');
  const { heard, log } = ear();
  const stuck = start(cluster.url(), { log });
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  cleanups.push(async () => silent.close());
  await once(silent, 'listening');
  const mute = start(`postgres://u@127.0.0.1:${(silent.address() as AddressInfo).port}/x`);
  const [socket] = (await once(silent, 'connection')) as [Socket];
  await mute.stop();
  socket.destroy();
  await stuck.stop();
  process.kill(cluster.pid(), 'SIGCONT');
  expect(heard).toEqual([]);
});

it('goes on after the database was killed and came back', async () => {
  const cluster = await startCluster({ fsync: false });
  cleanups.push(() => cluster.destroy());
  const url = cluster.url(await cluster.createDatabase());
  await ask(url, await readFile('sql/demo/table.sql', 'utf8'));
  const { log, heard } = ear();
  const traffic = start(url, { log });
  await expect.poll(() => traffic.written(), soon).toBeGreaterThan(10);
  await cluster.kill9();
  await expect.poll(() => heard, soon).toContain('demo_traffic_interrupted');
  const before = traffic.written();
  await cluster.start();
  await expect.poll(() => heard, soon).toContain('demo_traffic_resumed');
  await expect.poll(() => traffic.written(), soon).toBeGreaterThan(before);
  expect(heard.filter((event) => event === 'demo_traffic_interrupted')).toHaveLength(1);
});

it('imports in bulk in one transaction while single rows go on, and rolls it back when stopped', async () => {
  const { url } = await database();
  const { log, heard } = ear();
  const calm = { ...CALM, stopped: false };
  let due = true;
  const forecast = {
    at: () => calm,
    bulkDue() {
      const now = due;
      due = false;
      return now;
    },
  };
  const traffic = start(url, { log, forecast, rate: 50 });
  await expect.poll(() => heard, soon).toContain('demo_bulk_import');
  const imported = Number(await count(url, "operation_type = 'import_from_1c'"));
  expect(imported).toBeGreaterThanOrEqual(600);
  due = true;
  const open =
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in trans%'";
  await expect.poll(() => ask(url, open), soon).toHaveLength(1);
  await traffic.stop();
  expect(await count(url, "operation_type = 'import_from_1c'")).toBeLessThan(imported + 200);
});

it('finishes what an earlier run left pending', async () => {
  const { url } = await database();
  await ask(
    url,
    "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('export_to_1c', 'pending')",
  );
  start(url, { rate: 0.001 });
  await expect.poll(() => count(url, "id = 1 AND status <> 'pending'"), soon).toBe(1);
});

it('fills an empty table with a day of history, and leaves one with rows alone', async () => {
  const { url } = await database();
  expect(await writeHistory({ url, seed: 1, rows: 2_500 })).toBe(2_500);
  expect(await writeHistory({ url, seed: 1 })).toBe(0);
  expect(await count(url)).toBe(2_500);
  expect(await count(url, "created_at BETWEEN now() - interval '24 h 1 min' AND now()")).toBe(2_500);
  expect(await count(url, "created_at > now() - interval '1 h'")).toBeGreaterThan(700);
  expect(await count(url, "status = 'pending'")).toBe(0);
  // Oldest first, as a sequence would have handed out the ids.
  expect(await count(url, 'created_at > (SELECT created_at FROM customer_sync_logs WHERE id = 2500)')).toBe(
    0,
  );
});
