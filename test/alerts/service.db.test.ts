/** From real rows to a real receiver: the whole way, with nothing put in between. */
import { describe, expect, test } from 'vitest';
import { startMonitor } from '../../src/monitor.js';
import type { AlertMessage } from '../../streams/alerts-view.js';
import { newestVersion } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { say, verify } from './receiver.js';
import { ONLY_ONE, PERSONAL, RULE, serviceScene } from './service-scene.js';

/**
 * From the commit of the row that crosses the line to the notice in the receiver's hands, ms. The issue asks for 5 s; it
 * takes one or two, a step of the rules being each second. More here, so that a machine that is busy with other tests
 * does not fail it.
 */
const LATEST_NOTICE_MS = 10_000;

describe.each(newestVersion())('alerts beside a monitor on PostgreSQL %i', (version) => {
  const it = serviceScene(version);
  const { running, start, stop, view, decides, stateOf, errors, successes, bodies, told } = it;

  test('tells once that it fires and once that it is over, signed, and nothing of persons', async () => {
    const monitor = await start();
    const messages: AlertMessage[] = [];
    view(monitor).transitions$.subscribe((message) => messages.push(message));
    await decides(monitor);
    await errors(9);
    await successes(1);
    await until(() => told().length > 0, 'a notice');
    await errors(20);
    await until(() => monitor.latest()?.windows['5m'].error_count === 29, 'the second errors');
    expect(
      view(monitor)
        .rules()
        .find(({ name }) => name === RULE),
    ).toMatchObject({
      ...{ state: 'firing', reason: 'over', threshold: 20 },
    });
    const [active] = await view(monitor).list({ state: 'active', limit: 10 });
    expect(active).toMatchObject({ rule: RULE, severity: 'critical', state: 'firing', ack: null });
    await successes(400);
    await until(() => told().length > 1, 'the notice of the end');
    expect(told()).toEqual([`${RULE} firing`, `${RULE} resolved`]);
    expect(new Set(it.receiver.ids()).size).toBe(2);
    for (const one of it.receiver.received) verify(one);
    expect(messages.map(({ kind }) => kind)).toEqual(['firing', 'resolved']);
    expect(messages[0]?.id).toBe(active?.id);
    expect(await view(monitor).list({ state: 'active', limit: 10 })).toEqual([]);
    const past = await view(monitor).list({ state: 'past', limit: 10 });
    expect(past).toMatchObject([{ rule: RULE, state: 'resolved' }]);
    const [fired] = bodies();
    const [crossing] = await ask(
      it.db.url,
      'SELECT created_at FROM customer_sync_logs ORDER BY id OFFSET 9 LIMIT 1',
    );
    // One clock: the database and the receiver are on this machine.
    const crossedAt = Number(crossing?.created_at);
    const decided = Date.parse(fired.starts_at) - crossedAt;
    const received = (it.receiver.received[0]?.at ?? Number.NaN) - crossedAt;
    console.log(
      `the row that crosses the line: alert ${decided} ms later, notice received ${received} ms later`,
    );
    expect(decided).toBeLessThan(LATEST_NOTICE_MS);
    expect(received).toBeLessThan(LATEST_NOTICE_MS);
    expect(fired.evidence).toMatchObject({ window: '5m', errors: 9, affected_customers_count: 9 });
    expect(fired.evidence.top_errors[0].message).toContain('1C refused');
    expect(fired.evidence.sample_correlation_ids[0]).toMatch(/^run-/);
    expect(fired.evidence.tail_command).toContain('tail');
    expect(view(monitor).deliveries()).toMatchObject({ delivered: 2, retry: 0 });
    expect(view(monitor).slo()?.fast.rate).toBeGreaterThan(0);
    const said = JSON.stringify([it.receiver.received, messages, past, it.log]);
    expect(said).toContain('1C refused');
    expect(said).not.toMatch(PERSONAL);
  });

  test('goes on after a restart: what was decided is delivered under the same id, and is not decided again', async () => {
    const first = await start();
    await decides(first);
    it.receiver.answer = say(500);
    await errors(20);
    await until(() => it.receiver.received.length > 0, 'an attempt');
    await stop(first);
    const [id] = it.receiver.ids();
    it.receiver.answer = say(200);
    const attempts = it.receiver.received.length;
    const second = await start();
    await until(() => it.receiver.received.length > attempts, 'the attempt of the second monitor');
    await until(() => stateOf(second) === 'firing', 'the state of before');
    await successes(400);
    await until(() => told().includes(`${RULE} resolved`), 'the end');
    const ids = it.receiver.ids();
    expect(new Set(ids)).toEqual(new Set([id, ids.at(-1)]));
    expect(told().slice(attempts)).toEqual([`${RULE} firing`, `${RULE} resolved`]);
  });

  test('a standby decides nothing, and takes over what the leader knew without a second notice', async () => {
    const leader = await start();
    await decides(leader);
    const standby = await start();
    await until(() => standby.source().role === 'standby', 'a standby');
    await errors(20);
    await until(() => told().length > 0, 'a notice');
    expect(view(standby).rules()).toEqual([]);
    expect(view(standby).slo()).toBeNull();
    // It can be asked, and somebody may say there that he has it in hand.
    await until(
      async () => (await view(standby).list({ state: 'active', limit: 10 })).length === 1,
      'the alert as the standby sees it',
    );
    await stop(leader);
    await until(() => stateOf(standby) === 'firing', 'the standby to lead');
    await successes(400);
    await until(() => told().length > 1, 'the end');
    expect(told()).toEqual([`${RULE} firing`, `${RULE} resolved`]);
  });

  test('has no alerts where this role may not keep them, and says so once', async () => {
    await stop(await start());
    const role = `reader_${it.db.name}`;
    await ask(it.db.url, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    try {
      await ask(it.db.url, `GRANT SELECT ON customer_sync_logs TO ${role}`);
      await ask(it.db.url, `GRANT SELECT ON SEQUENCE customer_sync_logs_id_seq TO ${role}`);
      await ask(it.db.url, `GRANT USAGE ON SCHEMA sync_monitor TO ${role}`);
      const url = new URL(it.db.url);
      url.username = role;
      url.password = 'x';
      it.log.length = 0;
      const monitor = await start(ONLY_ONE, { databaseUrl: url.href });
      expect(monitor.alerts()).toBeUndefined();
      expect(it.log.filter((line) => line.includes('alerts_off'))).toHaveLength(1);
      await stop(monitor);
    } finally {
      await ask(it.db.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('without configured alerts there are none', async () => {
    const monitor = await startMonitor({ databaseUrl: it.db.url });
    running.push(monitor);
    expect(monitor.alerts()).toBeUndefined();
  });
});
