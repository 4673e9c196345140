import { describe, expect, test } from 'vitest';
import { sharedVersions } from '../setup/database.js';
import { scene, until } from './scene.js';

describe.each(sharedVersions())('the owner turns the sequence back (PostgreSQL %i)', (version) => {
  test('TRUNCATE RESTART IDENTITY: rebuilt from the table, new rows with old ids are counted', async () => {
    const it = await scene(version);
    await it.insert(300);
    await until(() => it.counted() === 300, 'counted');
    await it.sql('TRUNCATE customer_sync_logs RESTART IDENTITY');
    await it.insert(400); // beyond where the sequence had been: its position alone does not tell
    await until(() => it.counted() === 400, 'rebuilt');
    expect(await it.differences()).toEqual([]);
    expect(it.monitor.source().resets).toBe(1);
    expect(it.monitor.source().lastResetReason).toMatch(/the (epoch changed|sequence went back)/);
    await it.end();
  });

  test('setval backwards after rows were deleted: what is numbered anew is counted', async () => {
    const it = await scene(version);
    await it.insert(100);
    await until(() => it.counted() === 100, 'counted');
    await it.sql('DELETE FROM customer_sync_logs WHERE id > 50');
    await it.sql(`SELECT setval('customer_sync_logs_id_seq', 50)`);
    await until(() => it.monitor.source().resets === 1, 'noticed');
    await it.insert(20);
    await until(() => it.counted() === 70, 'counted anew');
    expect(await it.differences()).toEqual([]);
    await it.end();
  });

  test('the table dropped and made anew', async () => {
    const it = await scene(version);
    await it.insert(10);
    await until(() => it.counted() === 10, 'counted');
    await it.sql('CREATE TABLE copy (LIKE customer_sync_logs INCLUDING ALL)');
    await it.sql('DROP TABLE customer_sync_logs');
    await until(() => it.monitor.latest()?.completeness.state === 'unknown', 'said to be unknown');
    await it.sql('ALTER TABLE copy RENAME TO customer_sync_logs');
    await it.insert(7);
    await until(() => it.counted() === 7, 'found again');
    expect(await it.differences()).toEqual([]);
    expect(it.monitor.source().bell.mode).toBe('dead');
    await it.end();
  });
});
