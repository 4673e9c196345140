/** What the server knows of the monitor's connections: their name, their number, how long a question may take. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { healthConfig } from '../../src/health-settings.js';
import { startMonitor } from '../../src/monitor.js';
import { APPLICATION_NAME, Link } from '../../src/source/connection.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from './collector.js';

describe.each(sharedVersions().slice(-1))('connections on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await freshDatabase(version);
  });
  afterAll(() => db.drop());

  const timeoutOf = async (options: { session?: string; queryTimeoutMs?: number }) => {
    const link = new Link('test', { url: db.url, ...options });
    await link.connect();
    const [row] = await link.query('SHOW statement_timeout');
    link.close();
    return row?.[0];
  };

  test('each has a time-out of the server, a little longer than ours', async () => {
    expect(await timeoutOf({})).toBe('16s');
    expect(await timeoutOf({ queryTimeoutMs: 99.5 })).toBe('1100ms');
    expect(await timeoutOf({ session: 'SET statement_timeout = 3000' })).toBe('3s');
    // Whatever the URL says.
    const url = `${db.url}${db.url.includes('?') ? '&' : '?'}options=-c%20statement_timeout%3D0`;
    const link = new Link('test', { url });
    await link.connect();
    expect(await link.query('SHOW statement_timeout')).toEqual([['16s']]);
    link.close();
  });

  test('of everything together are ten at most, of one name, however much is asked', async () => {
    const result = parseConfig({ env: {}, dotenv: {}, flags: {}, readSecret: () => '' });
    if (!('config' in result)) throw new Error(result.problems.join('\n'));
    const monitor = await startMonitor({
      ...{ databaseUrl: db.url, alerts: alertsConfig(result.config), health: healthConfig(result.config) },
    });
    try {
      await until(() => monitor.history().state === 'ready', 'history is ready');
      const end = new Date();
      const start = new Date(end.getTime() - 3_600_000);
      const asked = Array.from({ length: 60 }, (_, i) =>
        i % 2 === 0 ? monitor.getOperationMetrics(start, end) : monitor.getEvents({ filter: {}, limit: 10 }),
      );
      const seen = await ask(
        db.url,
        `SELECT DISTINCT application_name, count(*)::int FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1`,
      );
      await Promise.all(asked);
      expect(seen).toHaveLength(1);
      const [one] = seen as { application_name: string; count: number }[];
      expect(one?.application_name).toBe(APPLICATION_NAME);
      expect(one?.count).toBeGreaterThan(5);
      expect(one?.count).toBeLessThanOrEqual(10);
    } finally {
      await monitor.stop();
    }
  });
});
