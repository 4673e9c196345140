/** A monitor of a real table with its alerts, behind a real socket, and its document as the judge of its answers. */
import pg from 'pg';
import { type AlertsConfig, alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { type HealthConfig, healthConfig } from '../../src/health-settings.js';
import { createAccess } from '../../src/http/auth.js';
import { LiveHub } from '../../src/http/live.js';
import { createApp } from '../../src/http/routes.js';
import { startServer } from '../../src/http/server.js';
import { startMonitor } from '../../src/monitor.js';
import { freshDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { page } from './app.js';
import { type Document, Judge } from './document.js';

/** All as it is without any setting, and nobody to tell of alerts. */
function standard(): { readonly alerts: AlertsConfig; readonly health: HealthConfig } {
  const result = parseConfig({ env: {}, dotenv: {}, flags: {}, readSecret: () => '' });
  if (!('config' in result)) throw new Error(result.problems.join('\n'));
  return { alerts: alertsConfig(result.config), health: healthConfig(result.config) };
}

export async function openRealMonitor() {
  const db = await freshDatabase();
  const client = new pg.Client(db.url);
  await client.connect();
  await client.query(`INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, duration_ms, error_message, details)
    SELECT (ARRAY['export_to_1c', 'import_from_1c', 'conflict_resolution', 'batch_operation', 'of_a_new_kind'])[n % 5 + 1],
      (ARRAY['success', 'error', 'pending', 'odd'])[n % 4 + 1], n, 'ivan@example.com', n, 'refused',
      '{"conflict_source": "data_import", "operation_name": "night", "total_count": 3, "email_sent": true}'
    FROM generate_series(1, 200) n`);
  const monitor = await startMonitor({ databaseUrl: db.url, hourCost: 20, ...standard() });
  await until(() => monitor.latest()?.windows['1h'].total_operations === 200, 'the rows are counted');
  await until(() => monitor.alerts()?.slo()?.burnRates['1h'] != null, 'the SLO is known');
  const failures: unknown[] = [];
  const access = createAccess({ host: '127.0.0.1' });
  const onError = (error: unknown) => failures.push(error);
  const hub = new LiveHub(monitor, { onError, limits: { heartbeatMs: 300, sweepMs: 100 } });
  const app = createApp(monitor, { access, page, liveStats: () => hub.stats(), version: '0', onError });
  const server = await startServer({ host: '127.0.0.1', port: 0, app, hub, access, onError });
  const get = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);
  const judge = new Judge((await (await get('/openapi.json')).json()) as Document);
  return {
    ...{ client, get, judge, failures, socketUrl: new URL('/ws', server.url.replace('http', 'ws')) },
    async close() {
      await server.close();
      await monitor.stop();
      await client.end();
      await db.drop();
    },
  };
}
