import { access } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedVersions } from '../setup/database.js';
import { ask, type Cluster, startCluster } from '../setup/postgres.js';

function gone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

describe.each(sharedVersions())('PostgreSQL %i', (version) => {
  it('gives each test a database with the empty sample table', async () => {
    const [one, two] = [await freshDatabase(version), await freshDatabase(version)];
    try {
      await ask(
        one.url,
        "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')",
      );
      const [row] = await ask(two.url, 'SELECT count(*)::int AS n, version() AS v FROM customer_sync_logs');
      expect(row?.n).toBe(0);
      expect(row?.v).toContain(`PostgreSQL ${version}.`);
    } finally {
      await one.drop();
      await two.drop();
    }
  });

  it('survives stops of every kind on the same port, and leaves nothing behind', async () => {
    const cluster: Cluster = await startCluster({ version, fsync: false, settings: { work_mem: '5MB' } });
    const pids: number[] = [];
    try {
      const database = cluster.url(await cluster.createDatabase());
      await ask(database, 'CREATE TABLE kept (n int)');
      const stops = [() => cluster.stop('fast'), () => cluster.stop('immediate'), () => cluster.kill9()];
      for (const [n, stop] of stops.entries()) {
        pids.push(cluster.pid());
        await ask(database, `INSERT INTO kept VALUES (${n})`);
        await stop();
        await cluster.start();
      }
      pids.push(cluster.pid());
      expect(await ask(database, 'SELECT n FROM kept ORDER BY n')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
      expect(await ask(database, 'SHOW work_mem')).toEqual([{ work_mem: '5MB' }]);
    } finally {
      await cluster.destroy();
    }
    expect(pids.every(gone)).toBe(true);
    await expect(access(cluster.socketDir)).rejects.toThrow('ENOENT');
  });
});
