import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { scene } from '../faults/scene.js';
import { freshDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { PGBOUNCER, type Pgbouncer, startPgbouncer } from './pgbouncer.js';
import { diagnose, refusal } from './scene.js';

if (!PGBOUNCER) console.log('pgbouncer is not installed (apt-get install pgbouncer): poolers are not tested');

describe.skipIf(!PGBOUNCER)('through pgbouncer', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function pooled(
    ...args: [mode: 'session' | 'transaction' | 'statement', settings?: Record<string, string>]
  ) {
    const db = await freshDatabase();
    cleanups.push(() => db.drop());
    const pooler = await startPgbouncer(db.url, ...args);
    cleanups.push(() => pooler.stop());
    return { url: pooler.through(db.url), direct: db.url };
  }

  const REFUSED = /a pooler in (transaction|statement) mode.*a direct connection to PostgreSQL is needed/;

  test.each([
    ['transaction', {}],
    // One backend for everybody: the probe must not wait for a second one.
    ['transaction', { default_pool_size: '1' }],
    // Idle backends are handed out in turn, so that one hardly meets the same one again.
    ['transaction', { server_round_robin: '1', min_pool_size: '5' }],
    ['statement', {}],
  ] as const)(
    'in %s mode %j: serve refuses in one sentence, doctor names the remedy',
    async (mode, settings) => {
      const { url } = await pooled(mode, settings);
      // Backends that stand idle from earlier clients.
      const clients = Array.from(
        { length: settings && 'default_pool_size' in settings ? 1 : 3 },
        () => new pg.Client(url),
      );
      for (const client of clients) {
        client.on('error', () => undefined);
        await client.connect();
        cleanups.push(() => client.end());
      }
      await Promise.all(clients.map((client) => client.query('SELECT pg_sleep(0.05)')));
      expect(await refusal(url)).toMatch(REFUSED);
      const { code, check } = await diagnose(url);
      expect(code).toBe(1);
      expect(check('pooler')).toMatchObject({
        status: 'fault',
        remedy: expect.stringContaining('PostgreSQL itself'),
      });
      expect(check('pooler').message).toContain(`in ${mode} mode`);
      // Shared backends keep no setting of ours.
      for (const client of clients) {
        const { rows } = await client.query(
          `SELECT current_setting('statement_timeout') AS timeout, current_setting('transaction_read_only') AS read_only`,
        );
        expect(rows).toEqual([{ timeout: '0', read_only: 'off' }]);
      }
    },
  );

  test('a setting in the URL that the pooler does not let through', async () => {
    const { url } = await pooled('session');
    const set = `${url}?options=-c%20search_path%3Dpublic`;
    expect(await refusal(set)).toMatch(
      /the pooler at .* does not let .*unsupported startup parameter.*Remove it/,
    );
    expect((await diagnose(set)).check('connection').remedy).toContain('ignore_startup_parameters');
  });

  test('in session mode everything works: the bell, and numbers equal to SQL', async () => {
    let pooler: Pgbouncer | undefined;
    const it = await scene(18, {
      before: async (_, url) => {
        pooler = await startPgbouncer(url, 'session');
      },
      through: (url) => pooler?.through(url) ?? url,
    });
    cleanups.push(async () => {
      await it.end();
      await pooler?.stop();
    });
    const { code, check, all } = await diagnose(pooler?.through(it.url) ?? '');
    expect([code, all('fault'), check('pooler').status]).toEqual([0, [], 'warning']);
    await it.armed();
    await it.counts(1, () => it.insert());
    const writers = await it.writers(3);
    await it.counts(300, async () => undefined);
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(await it.differences()).toEqual([]);
    // It is the pooler that is connected, as the same user, under our name.
    const [row] = await ask(
      it.url,
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'customer-sync-monitor'`,
    );
    expect(row?.n).toBeGreaterThanOrEqual(4);
  });
});

test('a direct connection is told from a pooler', async () => {
  const db = await freshDatabase();
  try {
    expect((await diagnose(db.url)).check('pooler').message).toBe('The connection is direct.');
  } finally {
    await db.drop();
  }
});
