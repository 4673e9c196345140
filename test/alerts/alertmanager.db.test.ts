/** Debian's Alertmanager, as it is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sendTest } from '../../src/alerts/test-notice.js';
import { freePort } from '../../src/source/embedded-process.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { configured, HOUR, installSchema, MINUTE, openScene, outboxOf, POLICY, type Scene } from './scene.js';

const installed = spawnSync('prometheus-alertmanager', ['--version']).status === 0;
if (!installed)
  console.log(
    'prometheus-alertmanager is not installed (apt-get install prometheus-alertmanager): not tested with it',
  );

/** No alert goes on from here. */
const CONFIG = `
global: { resolve_timeout: 5m }
route: { receiver: nobody }
receivers: [{ name: nobody }]
`;

interface ApiAlert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { state: string };
}

describe.skipIf(!installed)('a real Alertmanager', () => {
  let folder: string;
  let url: string;
  let port: number;
  let server: ChildProcess;
  let db: TestDatabase;
  let scene: Scene;

  async function start(): Promise<void> {
    server = spawn(
      'prometheus-alertmanager',
      [
        `--config.file=${join(folder, 'config.yml')}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until(
      () =>
        fetch(`${url}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      'Alertmanager is ready',
    );
  }

  async function stop(): Promise<void> {
    const closed = once(server, 'close');
    server.kill('SIGKILL');
    await closed;
  }

  /** What it holds, resolved ones too as long as it keeps them. */
  async function held(): Promise<ApiAlert[]> {
    const response = await fetch(`${url}/api/v2/alerts?active=true`);
    return (await response.json()) as ApiAlert[];
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'csm-am-'));
    await writeFile(join(folder, 'config.yml'), CONFIG);
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    await start();
    db = await freshDatabase();
    await installSchema(db.url);
    scene = await open();
  });
  afterEach(async () => {
    await scene.close();
    await db.drop();
    await stop();
  });

  async function open(): Promise<Scene> {
    const made = await openScene(db.url, [{ name: 'am', url, format: 'alertmanager' }]);
    // Alertmanager compares with its own clock.
    made.now = Date.now() - HOUR;
    await made.alerts.load();
    return made;
  }

  test('holds an alert that fires, and lets it go when it is resolved', async () => {
    const startsAt = scene.now;
    await scene.decide({ kind: 'firing', startsAt });
    await scene.alerts.round();
    expect(await outboxOf(db.url)).toMatchObject([{ outcome: 'delivered', reason: null }]);
    // It takes in what it is told a moment after it has answered.
    await until(async () => (await held())[0]?.status.state === 'active', 'it has taken it in');
    const [alert] = await held();
    expect(alert).toMatchObject({
      labels: { alertname: 'high_error_rate', severity: 'critical', source: 'customer-sync-monitor' },
      annotations: {
        summary: '[CRITICAL] Error rate over 1 h: 25.13 % (threshold 10 %)',
        description: expect.stringContaining('Timeout of 1C after 30 s'),
        tail_command: expect.stringContaining('sync-monitor tail'),
      },
      status: { state: 'active' },
    });
    expect(Date.parse(alert?.startsAt ?? '')).toBe(startsAt);
    // Given by its resolve_timeout, for ours has no end.
    expect(Date.parse(alert?.endsAt ?? '')).toBeGreaterThan(Date.now());

    scene.now += MINUTE;
    await scene.decide({ kind: 'resolved', startsAt });
    await scene.alerts.round();
    expect(await outboxOf(db.url)).toMatchObject([{ outcome: 'delivered' }, { outcome: 'delivered' }]);
    await until(async () => (await held()).length === 0, 'it lets it go');
  });

  test('is told again after it was restarted, and not of what is over', async () => {
    const startsAt = scene.now;
    await scene.decide({ kind: 'firing', startsAt }, { kind: 'firing', rule: 'slow_response', startsAt });
    await scene.alerts.round();
    await scene.decide({ kind: 'resolved', rule: 'slow_response', startsAt });
    await scene.alerts.round();
    await stop();
    await rm(join(folder, 'data'), { recursive: true, force: true });
    await start();
    expect(await held()).toEqual([]);
    await scene.pass(2 * MINUTE);
    await until(async () => (await held()).length === 1, 'it holds the alert again');
    expect((await held())[0]?.labels.alertname).toBe('high_error_rate');
    expect(await outboxOf(db.url)).toHaveLength(3);
  });

  test('is told again by a monitor that was restarted, too', async () => {
    const startsAt = scene.now;
    await scene.decide({ kind: 'firing', startsAt });
    await scene.alerts.round();
    await scene.close();
    await stop();
    await rm(join(folder, 'data'), { recursive: true, force: true });
    await start();
    scene = await open();
    await scene.alerts.round();
    await until(async () => (await held()).length === 1, 'it holds the alert again');
  });

  test('takes a test notice without keeping it as an alert', async () => {
    const receiver = configured({ name: 'am', url, format: 'alertmanager' });
    const answer = await sendTest(receiver, { policy: POLICY, publicUrl: null }, Date.now());
    expect(answer).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(await held()).toEqual([]);
  });
});
