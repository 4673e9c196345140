import { describe, expect, test } from 'vitest';
import { keysOf } from '../../src/source/keeper.js';
import { sharedVersions } from '../setup/database.js';
import type { Version } from '../setup/postgres.js';
import { type Cable, startProxy } from './proxy.js';
import { type Scene, scene, until } from './scene.js';

const { bellWords } = keysOf('public.customer_sync_logs');

interface Session {
  readonly pid: number;
  readonly client_port: number;
}

/** The monitor behind a proxy, armed, with 100 rows counted. */
async function behindProxy(version: Version): Promise<{ it: Scene; proxy: Cable }> {
  let proxy: Cable | undefined;
  const it = await scene(version, {
    before: async (_, url) => {
      proxy = await startProxy(Number(new URL(url).port));
    },
    through: (url) => proxy?.url(url) ?? url,
  });
  if (!proxy) throw new Error('no proxy was made');
  await it.counts(100, () => it.insert(100));
  await it.armed();
  return { it, proxy };
}

async function end({ it, proxy }: { it: Scene; proxy: Cable }): Promise<void> {
  await it.end();
  await proxy.close();
}

/** The one session of the monitor that `where` tells from its others. */
async function sessionOf(it: Scene, where: string, values: unknown[] = []): Promise<Session> {
  const rows = await it.sql(
    `SELECT pid, client_port FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'customer-sync-monitor' AND ${where}`,
    values,
  );
  expect(rows).toHaveLength(1);
  return rows[0] as unknown as Session;
}

const HOLDS_KEY = `pid = (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = $1::int8::oid AND objid = $2::int8::oid)`;

/** Brings one row after the other until `condition` holds. @returns how long the slowest took to be counted, ms. */
async function countingUntil(it: Scene, condition: () => boolean | Promise<boolean>): Promise<number> {
  let slowest = 0;
  for (const end = performance.now() + 60_000; !(await condition()); ) {
    if (performance.now() > end) throw new Error('counted rows for 60 s in vain');
    slowest = Math.max(slowest, await it.counts(1, () => it.insert()));
  }
  return slowest;
}

const since = (from: number) => Math.round(performance.now() - from);

// Most of it is waiting for deadlines: all at once.
describe.concurrent.each(sharedVersions())(
  'a connection that is silently dead (PostgreSQL %i)',
  (version) => {
    test('the listener: noticed within 15 s, rows counted meanwhile, a new one proves itself', async () => {
      const scenery = await behindProxy(version);
      const { it, proxy } = scenery;
      const { listener } = it.monitor.source();
      const { client_port } = await sessionOf(it, `query ~ 'sync_monitor_nonce'`);
      proxy.freeze([client_port]);
      const from = performance.now();
      let noticed = 0;
      let silent = 0;
      const slowest = await countingUntil(it, () => {
        const now = it.monitor.source();
        if (now.bell.mode === 'dead') silent ||= since(from);
        if (!now.listener.proven || now.listener.restarts > listener.restarts) noticed ||= since(from);
        return noticed > 0;
      });
      // Rows told sooner than the nonce.
      expect(silent).toBeGreaterThan(0);
      await until(() => it.monitor.source().listener.proven, 'a new one is proven');
      const healed = since(from);
      console.log(
        `PostgreSQL ${version}: a dead listener: the bell was said to be dead after ${silent} ms, the listener lost after ${noticed} ms, another one proven after ${healed} ms; slowest row ${slowest} ms`,
      );
      expect(noticed).toBeLessThan(15_000);
      expect(slowest).toBeLessThan(4_000);
      await it.armed();
      const { bells } = it.monitor.source();
      await it.counts(1, () => it.insert());
      expect(it.monitor.source().bells).toBeGreaterThan(bells);
      expect(await it.differences()).toEqual([]);
      expect(it.monitor.source()).toMatchObject({ resets: 0, role: 'leader' });
      await end(scenery);
    });

    test('the keeper: the key is let go within 20 s, rows counted meanwhile, armed again', async () => {
      const scenery = await behindProxy(version);
      const { it, proxy } = scenery;
      const { pid, client_port } = await sessionOf(it, HOLDS_KEY, [...bellWords]);
      proxy.freeze([client_port]);
      const from = performance.now();
      const slowest = await countingUntil(it, async () => {
        const held = await it.sql(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = $1`, [pid]);
        return held.length === 0;
      });
      const released = since(from);
      console.log(
        `PostgreSQL ${version}: a dead keeper let go of the key after ${released} ms; slowest row ${slowest} ms`,
      );
      expect(released).toBeLessThan(20_000);
      expect(slowest).toBeLessThan(4_000);
      await it.armed();
      expect((await sessionOf(it, HOLDS_KEY, [...bellWords])).pid).not.toBe(pid);
      expect(await it.differences()).toEqual([]);
      expect(it.monitor.source()).toMatchObject({ resets: 0, role: 'leader' });
      expect(it.log.filter((line) => line.includes('standing by'))).toEqual([]);
      await end(scenery);
    });

    test('the reader: said to be unknown, then read on without a rebuild', async () => {
      const scenery = await behindProxy(version);
      const { it, proxy } = scenery;
      const { client_port } = await sessionOf(
        it,
        `query ~ 'LATERAL|FROM pg_locks' AND pid <> pg_backend_pid()`,
      );
      proxy.freeze([client_port]);
      const from = performance.now();
      await it.insert(10);
      await until(() => it.monitor.latest()?.completeness.state === 'unknown', 'said to be unknown');
      const said = since(from);
      await until(() => it.counted() === 110, 'counted in the end');
      console.log(
        `PostgreSQL ${version}: a dead reader was said after ${said} ms and replaced after ${since(from)} ms`,
      );
      expect(said).toBeLessThan(15_000);
      expect(await it.differences()).toEqual([]);
      expect(it.monitor.source()).toMatchObject({ resets: 0, role: 'leader' });
      await end(scenery);
    });

    test('all of them at once: said to be unknown, true again when the network is', async () => {
      const scenery = await behindProxy(version);
      const { it, proxy } = scenery;
      const seen: string[] = [];
      proxy.blackhole();
      const from = performance.now();
      await it.insert(10);
      await until(() => it.monitor.latest()?.completeness.state === 'unknown', 'said to be unknown');
      seen.push(`unknown after ${since(from)} ms`);
      await until(() => !it.monitor.source().connected, 'said to be lost', 60_000);
      seen.push(`lost after ${since(from)} ms`);
      await until(() => it.monitor.latest()?.lag_ms === null, 'a snapshot says so');
      expect(it.monitor.getSystemHealth()).toMatchObject({ status: 'unhealthy', is_healthy: false });
      await it.insert(10);
      proxy.heal();
      const healed = performance.now();
      await until(
        () => it.monitor.latest()?.completeness.state === 'complete' && it.counted() === 120,
        'counted',
        60_000,
      );
      seen.push(`true again ${since(healed)} ms after the network was back`);
      console.log(`PostgreSQL ${version}: everything dead: ${seen.join(', ')}`);
      await it.armed();
      expect(await it.differences()).toEqual([]);
      expect(it.monitor.source()).toMatchObject({
        resets: 1,
        lastResetReason: 'no connection outlived the gap',
      });
      await end(scenery);
    }, 120_000);
  },
);
