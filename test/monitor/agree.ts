/** Waits until the newest snapshot says what the table says; fails with the differences that stay. */
import type pg from 'pg';
import { expect } from 'vitest';
import type { CustomerSyncMonitor } from '../../src/monitor.js';
import { until } from '../source/collector.js';
import { differences } from './oracle.js';

export async function agree(
  monitor: CustomerSyncMonitor,
  client: pg.Client,
  table = 'customer_sync_logs',
  ms = 20_000,
): Promise<void> {
  let found: string[] = ['no snapshot'];
  const same = async () => {
    const snapshot = monitor.latest();
    if (snapshot) found = await differences(client, snapshot, table);
    return found.length === 0;
  };
  await until(same, 'agreement', ms).catch(() => expect(found).toEqual([]));
}
