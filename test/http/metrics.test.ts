import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAccess } from '../../src/http/auth.js';
import { createMetrics, type Metrics } from '../../src/http/metrics.js';
import { createApp } from '../../src/http/routes.js';
import { OPERATION_TYPES, STATUSES } from '../../streams/event.js';
import { HandDrivenAlerts } from './alerts-view.js';
import { COMPLETE, HandDrivenView, HISTORY, NO_CLIENTS, row, START } from './view.js';

const PROMTOOL = '/usr/bin/promtool';
const OPENMETRICS = 'application/openmetrics-text';

function setUp(cacheTtlMs = 0) {
  const view = new HandDrivenView();
  let now = START;
  const metrics = createMetrics(view, {
    liveStats: () => ({ ...NO_CLIENTS, clients: 2, droppedEvents: 5 }),
    cacheTtlMs,
    version: '1.2.3',
    now: () => now,
  });
  const later = (ms: number): void => {
    now += ms;
  };
  return { view, metrics, later };
}

function busy() {
  const made = setUp();
  made.view.alertsView = new HandDrivenAlerts();
  made.view.fold([
    row({ durationMs: 40 }),
    row({ status: 'error', durationMs: 1_500 }),
    row({ status: 'failed', durationMs: 700_000, correlationId: 'slow "one"' }),
    row({ operationType: 'export_to_1c', status: 'success' }),
    row({ operationType: 'export_to_1c', status: 'pending', durationMs: null, createdAt: START - 90_000 }),
    row({ operationType: 'conflict_resolution', conflictSource: 'data_import', emailSent: true }),
    row({ operationType: 'conflict_resolution', status: 'error' }),
    row({ operationType: 'customer_identification', identificationMethod: 'tax_id' }),
  ]);
  made.view.tick();
  return made;
}

/** The samples of an exposition by series, e.g. `name{label="value"}`. */
async function samples(metrics: Metrics): Promise<ReadonlyMap<string, string>> {
  const { body } = await metrics.scrape(undefined);
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

describe('families', () => {
  it.each([
    ['sync_operations_total{operation_type="sync_changes",status="success"}', '1'],
    ['sync_operations_total{operation_type="sync_changes",status="failed"}', '1'],
    ['sync_errors_total{operation_type="sync_changes"}', '2'],
    ['sync_success_total{operation_type="sync_changes"}', '1'],
    ['sync_operations_by_type{type="sync_changes"}', '3'],
    ['sync_success_rate', '50'],
    ['sync_operation_duration_seconds_bucket{operation_type="sync_changes",le="0.05"}', '1'],
    ['sync_operation_duration_seconds_bucket{operation_type="sync_changes",le="5"}', '2'],
    ['sync_operation_duration_seconds_bucket{operation_type="sync_changes",le="+Inf"}', '3'],
    ['sync_operation_duration_seconds_sum{operation_type="sync_changes"}', '701.54'],
    ['sync_operation_duration_seconds_count{operation_type="sync_changes"}', '3'],
    ['sync_window_operations{window="1m",operation_type="sync_changes",status="error"}', '1'],
    ['sync_window_operations{window="24h",operation_type="export_to_1c",status="pending"}', '1'],
    ['sync_window_operations{window="1m",operation_type="export_to_1c",status="pending"}', '0'],
    ['sync_window_error_ratio{window="5m",operation_type="all"}', '0.375'],
    ['sync_window_error_ratio{window="5m",operation_type="export_to_1c"}', '0'],
    ['sync_window_duration_seconds{window="1h",operation_type="sync_changes",q="0.5"}', '1.5'],
    ['sync_pending_operations{operation_type="export_to_1c"}', '1'],
    ['sync_pending_operations{operation_type="sync_changes"}', '0'],
    ['sync_pending_oldest_age_seconds{operation_type="export_to_1c"}', '90'],
    ['sync_customers_synced{window="1m"}', '1'],
    ['sync_conflicts_total', '2'],
    ['sync_conflicts_resolved_total{source="data_import"}', '1'],
    ['sync_conflicts_resolved_total{source="portal_registration"}', '0'],
    ['sync_identifications_total{method="tax_id"}', '1'],
    ['sync_identifications_total{method="email"}', '0'],
    ['sync_registrations_total', '1'],
    ['sync_imports_total', '0'],
    ['sync_admin_mails_total', '1'],
    ['sync_auto_resolution_ratio{window="24h"}', '0.5'],
    ['sync_automation_saved_seconds_total', '600'],
    ['sync_monitor_fold_lag_seconds_count', '8'],
    ['sync_monitor_role{role="leader"}', '1'],
    ['sync_monitor_role{role="standby"}', '0'],
    ['sync_monitor_bell_mode{mode="armed"}', '1'],
    ['sync_monitor_bell_mode{mode="dead"}', '0'],
    ['sync_monitor_bells_total', '3'],
    ['sync_monitor_polls_total', '5'],
    ['sync_monitor_sealed_id', '100'],
    ['sync_monitor_unsealed_ids', '2'],
    ['sync_monitor_seal_lag_seconds', '1.5'],
    ['sync_monitor_completeness_ratio', '1'],
    ['sync_monitor_completeness_state{state="complete"}', '1'],
    ['sync_monitor_lag_seconds', '0.004'],
    ['sync_monitor_websocket_clients', '2'],
    ['sync_monitor_websocket_dropped_events_total', '5'],
    ['sync_monitor_pending_tracked', '1'],
    ['sync_monitor_resets_total', '0'],
    ['sync_monitor_info{version="1.2.3"}', '1'],
    ['sync_monitor_history_state{state="backfilling"}', '1'],
    ['sync_monitor_history_state{state="ready"}', '0'],
    ['sync_monitor_backfill_ratio', '0.25'],
    ['sync_monitor_backfill_rows_per_second', '5000'],
    ['sync_monitor_flush_seconds', '0.012'],
    ['sync_monitor_flush_timestamp_seconds', String(START / 1_000 - 2)],
    ['sync_monitor_flush_rows_total', '700'],
    ['sync_monitor_flush_failures_total', '2'],
    ['sync_monitor_unflushed_rows', '9'],
    ['sync_monitor_audit_finds_total{kind="late"}', '2'],
    ['sync_monitor_audit_finds_total{kind="status"}', '0'],
    ['sync_monitor_audit_rounds_total{part="newest"}', '4'],
    ['sync_monitor_audit_last_timestamp_seconds', String(START / 1_000 - 30)],
    ['sync_monitor_audit_agreement_ratio', '0.5'],
    ['sync_monitor_audit_failures_total', '1'],
  ])('%s is %s', async (series, value) => {
    expect((await samples(busy().metrics)).get(series)).toBe(value);
  });

  it('have 0 for counts and no sample for what has no data', async () => {
    const { view, metrics } = setUp();
    view.tick();
    const found = await samples(metrics);
    for (const type of OPERATION_TYPES) {
      for (const status of STATUSES.filter((name) => name !== 'pending')) {
        expect(found.get(`sync_operations_total{operation_type="${type}",status="${status}"}`)).toBe('0');
      }
      expect(found.get(`sync_operations_by_type{type="${type}"}`)).toBe('0');
      expect(found.get(`sync_errors_total{operation_type="${type}"}`)).toBe('0');
      expect(found.get(`sync_operation_duration_seconds_count{operation_type="${type}"}`)).toBe('0');
    }
    const names = [...found.keys()];
    for (const absent of [
      'sync_success_rate',
      'sync_duration_avg_ms',
      'sync_window_error_ratio',
      'sync_window_duration_seconds',
      'sync_pending_oldest_age_seconds',
      'sync_auto_resolution_ratio',
      'sync_monitor_notification_queue_usage_ratio',
      'sync_monitor_clock_skew_seconds',
    ]) {
      expect(names.filter((name) => name.startsWith(absent))).toEqual([]);
    }
  });

  it('of history are without samples, but for its state, where none is kept', async () => {
    const { view, metrics } = setUp();
    const read = /^sync_monitor_(history|backfill|flush|unflushed|audit)/;
    const found = async () => [...(await samples(metrics))].filter(([series]) => read.test(series));
    const off = [
      ['sync_monitor_history_state{state="off"}', '1'],
      ['sync_monitor_history_state{state="backfilling"}', '0'],
      ['sync_monitor_history_state{state="ready"}', '0'],
    ];
    Object.assign(view, { historyState: { ...HISTORY, state: 'off' }, auditState: undefined });
    expect(await found()).toEqual(off);
    Object.assign(view, { history: undefined, audit: undefined });
    expect(await found()).toEqual(off);
  });

  it.each([
    [null, '1', '0'],
    [{ percent: null, rows_per_second: null, seconds_left: null }, undefined, undefined],
  ])('of a backfill that is %j', async (backfill, ratio, speed) => {
    const { view, metrics } = setUp();
    view.historyState = { ...HISTORY, backfill, last_flush_at: null, last_flush_ms: null };
    const found = await samples(metrics);
    expect(found.get('sync_monitor_backfill_ratio')).toBe(ratio);
    expect(found.get('sync_monitor_backfill_rows_per_second')).toBe(speed);
    expect(found.has('sync_monitor_flush_seconds')).toBe(false);
  });

  it('are without the windows before the first snapshot', async () => {
    const found = await samples(setUp().metrics);
    expect([...found.keys()].filter((name) => name.startsWith('sync_window'))).toEqual([]);
    expect(found.get('sync_monitor_completeness_state{state="unknown"}')).toBe('1');
    expect(found.get('sync_monitor_role{role="leader"}')).toBe('1');
  });

  it('have each series once, whatever the types are called', async () => {
    const { view, metrics } = setUp();
    for (const name of ['all', '', 'other', '__proto__', 'constructor', 'a"b\\c\nd\re', '💥']) {
      view.fold([row({ operationType: name, status: name === '' ? 'odd' : name })]);
    }
    view.tick(0, { ...COMPLETE, ratio: null }, null);
    const { body } = await metrics.scrape(undefined);
    const series = body
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(series.length).toBe(new Set(series).size);
    expect(body).toContain('operation_type="a\\"b\\\\c\\nd\re"');
    expect(body).toContain('sync_operations_by_type{type="__proto__"} 1');
  });
});

describe('a scrape', () => {
  it('may ask for OpenMetrics and gets exemplars, without spoiling the other form', async () => {
    const { metrics } = busy();
    const before = await metrics.scrape('text/plain');
    expect(before.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const open = await metrics.scrape(`${OPENMETRICS};version=1.0.0`);
    expect(open.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.body.endsWith('# EOF\n')).toBe(true);
    expect(open.body).toContain('# TYPE sync_errors counter\n');
    expect(open.body).toMatch(
      /sync_operation_duration_seconds_bucket\{operation_type="sync_changes",le="\+Inf"\} 3 # \{correlation_id="slow \\"one\\""\} 700 \d+\n/,
    );
    const after = await metrics.scrape('text/plain');
    expect(after.body).toContain('sync_errors_total{operation_type="sync_changes"} 2\n');
    expect(after.body).toContain('process_cpu_seconds_total');
    expect(open.body).toContain('nodejs_version_info');
  });

  it('reuses the last exposition for the time it may', async () => {
    const { view, metrics, later } = setUp(1_000);
    const count = async (accept?: string) =>
      /sync_success_total\{operation_type="sync_changes"\} (\d+)/.exec(
        (await metrics.scrape(accept)).body,
      )?.[1];
    expect(await count()).toBe('0');
    view.fold([row()]);
    later(999);
    expect(await count()).toBe('0');
    // The other form has a cache of its own.
    expect(await count(OPENMETRICS)).toBe('1');
    later(1);
    expect(await count()).toBe('1');
    view.fold([row()]);
    later(-60_000);
    expect(await count()).toBe('2');
  });

  it('that fails is not kept', async () => {
    const { view, metrics } = setUp(60_000);
    const { source } = view;
    view.source = () => {
      throw new Error('no source');
    };
    await expect(metrics.scrape(undefined)).rejects.toThrow('no source');
    view.source = source;
    await expect(metrics.scrape(undefined)).resolves.toBeDefined();
  });

  it.each(['/metrics', '/metrics/', '/api/metrics', '/api/metrics/'])('is answered on %s', async (path) => {
    const ask = (metricsEnabled: boolean) =>
      createApp(busy().view, {
        access: createAccess({ host: '127.0.0.1' }),
        liveStats: () => NO_CLIENTS,
        version: '1.2.3',
        onError: (error) => {
          throw error;
        },
        metricsEnabled,
      }).request(path, { headers: { accept: OPENMETRICS } });
    const response = await ask(true);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('openmetrics');
    expect(response.headers.get('vary')).toBe('Accept');
    expect(await response.text()).toContain('sync_success_total');
    const off = await ask(false);
    expect(off.status).toBe(404);
    expect(await off.text()).toContain('PROMETHEUS_METRICS_ENABLED=false');
  });
});

/** What promtool may find fault with: names of the earlier system, kept for its dashboards, and Node's own. */
const KNOWN_FAULTS = new Set([
  'sync_duration_avg_ms metric names should not contain abbreviated units',
  'sync_duration_avg_ms use base unit "seconds" instead of "milliseconds"',
  'nodejs_active_handles_total non-counter metrics should not have "_total" suffix',
  'nodejs_active_requests_total non-counter metrics should not have "_total" suffix',
  'nodejs_active_resources_total non-counter metrics should not have "_total" suffix',
]);

const hasPromtool = existsSync(PROMTOOL);

describe('promtool', () => {
  it.runIf(process.env.CI === 'true')('is there (Debian package prometheus)', () => {
    expect(hasPromtool).toBe(true);
  });

  it.runIf(hasPromtool)('finds fault with the known names only', async () => {
    const { view, metrics } = busy();
    view.fold([row({ operationType: 'a"b\\c\nd', correlationId: '\n"\\' })]);
    view.tick();
    const { body } = await metrics.scrape(undefined);
    const result = spawnSync(PROMTOOL, ['check', 'metrics'], { input: body, encoding: 'utf8' });
    const faults = result.stderr.split('\n').filter((line) => line !== '');
    expect(faults.filter((line) => !KNOWN_FAULTS.has(line))).toEqual([]);
    // 3: it parsed the whole and had something to remark.
    expect([0, 3]).toContain(result.status);
  });
});
