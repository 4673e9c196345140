import { describe, expect, test } from 'vitest';
import { sharedVersions } from '../setup/database.js';
import { type Scene, scene, until } from './scene.js';

const bell = (it: Scene) => it.monitor.source().bell;

/** Rows that no bell announces are counted within 2 s all the same, and health says why the bell is dead. */
async function deadlyCounted(it: Scene, how: string, reason: RegExp): Promise<void> {
  const ms = await it.counts(5, () => it.insert(5));
  console.log(`${how}: counted after ${ms} ms`);
  expect(ms).toBeLessThan(4_000);
  await until(() => bell(it).mode === 'dead' && reason.test(bell(it).reason), `dead: ${how}`);
  expect(it.monitor.getSystemHealth()).toMatchObject({
    status: 'degraded',
    components: { listener: { available: false, message: expect.stringMatching(reason) } },
  });
}

describe.each(sharedVersions())('the bell (PostgreSQL %i)', (version) => {
  test('its trigger disabled, dropped, or passed by: found by the poll, and said', async () => {
    const it = await scene(version);
    const on = (what: string) => it.sql(`ALTER TABLE customer_sync_logs ${what} TRIGGER sync_monitor_bell`);
    const [trigger] = await it.sql(
      `SELECT pg_get_triggerdef(oid) AS sql FROM pg_trigger WHERE tgname = 'sync_monitor_bell'`,
    );
    await it.armed();
    await on('DISABLE');
    await deadlyCounted(it, `PostgreSQL ${version}: trigger disabled`, /its trigger is disabled/);
    await on('ENABLE');
    await it.armed();

    await it.sql('DROP TRIGGER sync_monitor_bell ON customer_sync_logs');
    await deadlyCounted(it, `PostgreSQL ${version}: trigger dropped`, /its trigger is not on the table/);
    await it.sql(String(trigger?.sql));
    await it.armed();
    const { bells } = it.monitor.source();
    await it.counts(1, () => it.insert());
    expect(it.monitor.source().bells).toBeGreaterThan(bells);

    await it.armed();
    await it.sql('SET session_replication_role = replica');
    await deadlyCounted(it, `PostgreSQL ${version}: replica role`, /replica role/);
    await it.sql('SET session_replication_role = origin');
    expect(await it.differences()).toEqual([]);
    await it.end();
  });
});
