import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionLostError, Link } from '../../src/source/connection.js';
import { BusyError, ReadPool } from '../../src/source/pool.js';
import { READER_SESSION } from '../../src/source/source.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { withLink } from './tables.js';

let db: TestDatabase;
let pool: ReadPool;

beforeEach(async () => {
  db = await freshDatabase();
  pool = new ReadPool({ url: db.url, session: READER_SESSION, size: 1, maxWaiting: 1 });
});
afterEach(async () => {
  pool.close();
  await db.drop();
});

const count = () => pool.snapshot((query) => query('SELECT count(*) FROM public.customer_sync_logs'));

describe('the pool of the API', () => {
  test('answers all statements of one question out of one moment, and writes nothing', async () => {
    const counts = await pool.snapshot(async (query) => {
      const before = await query('SELECT count(*) FROM public.customer_sync_logs');
      await ask(
        db.url,
        `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`,
      );
      return [before, await query('SELECT count(*) FROM public.customer_sync_logs')];
    });
    expect(counts).toEqual([[['0']], [['0']]]);
    expect(await count()).toEqual([['1']]);
    await expect(pool.snapshot((query) => query('DELETE FROM public.customer_sync_logs'))).rejects.toThrow(
      'read-only',
    );
  });

  test('lets a few wait, and refuses more at once rather than late', async () => {
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = pool.snapshot(async (query) => {
      await gate;
      return query('SELECT 1');
    });
    const second = count();
    await expect(count()).rejects.toThrow(BusyError);
    await expect(count()).rejects.toThrow('1 queries are waiting for a database connection');
    finish();
    expect(await first).toEqual([['1']]);
    expect(await second).toEqual([['0']]);
  });

  test('is as good as new after a question that failed, or whose connection was cut', async () => {
    await expect(pool.snapshot((query) => query('SELECT 1 / 0'))).rejects.toThrow('division by zero');
    expect(await count()).toEqual([['0']]);
    const cut = pool.snapshot(async (query) => {
      const [[pid] = []] = await query('SELECT pg_backend_pid()');
      await ask(db.url, `SELECT pg_terminate_backend(${pid})`);
      return query('SELECT 1');
    });
    await expect(cut).rejects.toThrow(ConnectionLostError);
    expect(await count()).toEqual([['0']]);
  });

  test('says that the database is away where it cannot connect', async () => {
    const nowhere = new ReadPool({ url: 'postgres://127.0.0.1:1/none', session: '' });
    await expect(nowhere.snapshot((query) => query('SELECT 1'))).rejects.toThrow(ConnectionLostError);
    nowhere.close();
  });
});

describe('a link', () => {
  test('has a new number for each life, and says once when one ends', async () => {
    const link = new Link('test', { url: db.url });
    let lost = 0;
    link.onLost = () => {
      lost++;
    };
    expect([link.connected, link.generation, link.pid]).toEqual([false, 0, 0]);
    await expect(link.query('SELECT 1')).rejects.toThrow('test: not connected');
    await link.connect();
    const first = [link.generation, link.pid];
    link.close();
    link.close();
    expect([link.connected, link.generation, link.pid, lost]).toEqual([false, 0, 0, 1]);
    await link.connect();
    expect(link.generation).toBe((first[0] as number) + 1);
    expect(link.pid).not.toBe(first[1]);
    await ask(db.url, `SELECT pg_terminate_backend(${link.pid})`);
    await expect(link.query('SELECT 1')).rejects.toThrow(ConnectionLostError);
    expect([link.connected, lost]).toEqual([false, 2]);
  });

  test('is given up when the server takes too long to answer', async () => {
    const link = new Link('test', { url: db.url, queryTimeoutMs: 50 });
    await link.connect();
    await expect(link.query('SELECT pg_sleep(60)')).rejects.toThrow('test: no answer within 50 ms');
    expect(link.connected).toBe(false);
  });

  test('outlives what the server refuses', async () => {
    await withLink(db.url, async (link) => {
      await expect(link.query('SELECT nonsense')).rejects.toThrow('column "nonsense" does not exist');
      expect(await link.query(`SELECT 1, NULL, 'a', true, now() IS NULL, '{1,2}'::int[]`)).toEqual([
        ['1', null, 'a', 't', 'f', '{1,2}'],
      ]);
    });
  });
});
