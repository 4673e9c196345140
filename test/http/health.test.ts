/** What the monitor says of itself over HTTP: health, and history and audit in the realtime answer. */
import { describe, expect, it } from 'vitest';
import { realTimeAnswer, systemHealth } from '../../src/http/health-schemas.js';
import { busyApp } from './app.js';
import { HISTORY } from './view.js';

const HEALTH = '/api/monitoring/health/';

describe('the realtime answer', () => {
  it('tells of history and of the audit', async () => {
    const { app } = busyApp();
    const answer = realTimeAnswer.parse(await (await app.request('/api/monitoring/realtime/')).json());
    expect(answer.history).toEqual(HISTORY);
    expect(answer.audit).toEqual({
      last_at: '2026-03-10T11:59:30.000Z',
      rounds: { newest: 4, hour: 1, day: 0, old: 0 },
      finds: 3,
      last_find: expect.objectContaining({ kind: 'late', operation_type: 'sync_changes' }),
      completeness_ratio: 0.5,
    });
  });

  it('is without them where nothing is kept', async () => {
    const { app, view } = busyApp();
    Object.assign(view, { history: undefined, audit: undefined });
    const answer = realTimeAnswer.parse(await (await app.request('/api/monitoring/realtime/')).json());
    expect(Object.keys(answer)).not.toContain('history');
    expect(Object.keys(answer)).not.toContain('audit');
  });
});

describe('health', () => {
  it('has a component each, with all that is known of it', async () => {
    const { app } = busyApp();
    const response = await app.request(HEALTH);
    const { components, status } = systemHealth.parse(await response.json());
    expect(response.status).toBe(200);
    expect(status).toBe('degraded');
    expect(Object.keys(components)).toEqual(['database', 'listener', 'completeness', 'history', 'audit']);
    expect(components.history).toMatchObject({
      status: 'healthy',
      message: 'reads the rows from before its first start: 25.0 %, 5000 rows/s, about 91 s left',
      details: HISTORY,
    });
    expect(components.audit).toMatchObject({
      status: 'degraded',
      message: expect.stringMatching(/11:59:30.*3 finds.*refolded/),
      details: { last_finds: [{ what: '2 rows more' }] },
    });
  });

  it('says what does not survive a restart where history is off', async () => {
    const { app, view } = busyApp();
    const reason = 'HISTORY is off.';
    Object.assign(view, {
      historyState: { ...HISTORY, state: 'off', reason, backfill: null },
      auditState: undefined,
    });
    const { components, status } = systemHealth.parse(await (await app.request(HEALTH)).json());
    expect(status).toBe('healthy');
    expect(components.history).toMatchObject({
      status: 'not_configured',
      available: false,
      message: expect.stringMatching(/^HISTORY is off\. A restart reads .* deleted .* gone/),
    });
    expect(components).not.toHaveProperty('audit');
  });

  it('is degraded while flushes fail, and says since when', async () => {
    const { app, view } = busyApp();
    const failing_since = '2026-03-10T11:00:00.000Z';
    Object.assign(view, {
      historyState: { ...HISTORY, failing_since, reason: 'disk full' },
      auditState: undefined,
    });
    const { components, status } = systemHealth.parse(await (await app.request(HEALTH)).json());
    expect(status).toBe('degraded');
    expect(components.history?.message).toBe(
      `nothing could be written since ${failing_since}, 9 rows wait: disk full`,
    );
  });

  it.each([
    [{ state: 'catching_up', ratio: 0.25, reasons: ['25 % read'] }, 'catching up; 25 % read'],
    [{ state: 'unknown', ratio: null, reasons: [] }, 'unknown'],
  ] as const)('is degraded while the numbers are not complete', async (completeness, message) => {
    const { app, view } = busyApp();
    view.auditState = undefined;
    view.tick(0, completeness);
    const { components, status } = systemHealth.parse(await (await app.request(HEALTH)).json());
    expect([status, components.completeness?.message]).toEqual(['degraded', message]);
  });

  it('is 503 and names the issue while the database does not answer', async () => {
    const { app, view } = busyApp();
    view.setSource({ connected: false });
    const response = await app.request(HEALTH);
    const { is_healthy, critical_issues } = systemHealth.parse(await response.json());
    expect([response.status, is_healthy]).toEqual([503, false]);
    expect(critical_issues).toEqual([{ component: 'database', message: 'does not answer', details: {} }]);
  });
});
