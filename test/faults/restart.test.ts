import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedVersions } from '../setup/database.js';
import type { Cluster } from '../setup/postgres.js';
import { ownCluster, scene, until } from './scene.js';

describe.each(sharedVersions())('PostgreSQL %i stops and starts', (version) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await ownCluster(version, { synchronous_commit: 'off', wal_writer_delay: '10000ms' });
  });
  afterAll(() => cluster.destroy());

  test('a fast stop under load: unknown meanwhile, true again by itself', async () => {
    const it = await scene(version, { cluster });
    const writers = await it.writers(4);
    await it.insert(100);
    await cluster.stop('fast');
    await until(() => it.monitor.latest()?.completeness.state === 'unknown', 'said to be unknown');
    expect(it.monitor.latest()?.lag_ms).toBeNull();
    expect(it.monitor.getSystemHealth()).toMatchObject({ status: 'unhealthy', is_healthy: false });
    await cluster.start();
    await until(() => it.monitor.source().connected, 'connected again');
    await it.reconnect();
    await it.insert(50);
    expect(await it.differences()).toEqual([]);
    expect(it.log.filter((line) => line.startsWith('nothing can be read'))).toHaveLength(1);
    expect(it.log.filter((line) => line.startsWith('reading again'))).toHaveLength(1);
    expect(it.monitor.source().lastResetReason).toBe('no connection outlived the gap');
    await Promise.all(writers.map((writer) => writer.stop().catch(() => undefined)));
    await it.end();
  });

  test('an immediate stop: ids that were sealed as rolled back are handed out again', async () => {
    const it = await scene(version, { cluster });
    await it.sql('CHECKPOINT');
    const [{ last: before }] = (await it.sql('SELECT last_value AS last FROM customer_sync_logs_id_seq')) as [
      { last: string },
    ];
    // Commits are asynchronous in this cluster; with its WAL writer held up nothing reaches the disk by itself.
    const [{ pid }] = (await it.sql(`SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'`)) as [
      { pid: number },
    ];
    process.kill(pid, 'SIGSTOP');
    // Ids taken and rolled back, so that the monitor seals them as never used.
    await it.sql('BEGIN');
    await it.insert(2_000);
    await it.sql('ROLLBACK');
    await it.insert(20); // committed with synchronous_commit=off: it may vanish after being counted
    await until(() => it.monitor.source().sealedId >= Number(before) + 2_000, 'sealed');
    // The power goes: an orderly immediate stop would wait for the WAL writer.
    const dead = cluster.kill9();
    process.kill(pid, 'SIGKILL');
    await dead;
    await cluster.start();
    await until(() => it.monitor.source().connected, 'connected again');
    await it.reconnect();
    const [{ last: after }] = (await it.sql('SELECT last_value AS last FROM customer_sync_logs_id_seq')) as [
      { last: string },
    ];
    // Else this run would prove nothing.
    expect(Number(after)).toBeLessThan(Number(before) + 2_000);
    await it.insert(500);
    expect(await it.differences()).toEqual([]);
    await it.end();
  });

  test('kill -9 of the postmaster under load', async () => {
    const it = await scene(version, { cluster });
    const writers = await it.writers(4);
    await until(() => it.counted() > 1_000, 'some load');
    await cluster.kill9();
    await cluster.start();
    await until(
      () => it.monitor.source().connected && it.monitor.latest()?.completeness.state === 'complete',
      'back',
    );
    await Promise.all(writers.map((writer) => writer.stop().catch(() => undefined)));
    await it.reconnect();
    await it.insert(50);
    expect(await it.differences()).toEqual([]);
    await it.end();
  });
});
