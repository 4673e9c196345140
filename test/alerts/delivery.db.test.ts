import { describe, expect, test } from 'vitest';
import { newestVersion } from '../setup/database.js';
import { until } from '../source/collector.js';
import { STARTED } from './notices.js';
import { hang, reset, say, startReceiver, verify } from './receiver.js';
import { deliveryScene, HOUR, MINUTE, outboxOf } from './scene.js';

describe.each(newestVersion())('delivery, kept in PostgreSQL %i', (version) => {
  const it = deliveryScene(version);
  const { open, unloaded, kinds } = it;

  test('fires once, resolves once, signed, and everything is written down', async () => {
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(10 * MINUTE);
    await scene.decide({ kind: 'resolved' });
    await scene.pass(10 * MINUTE);
    expect(kinds()).toEqual(['firing', 'resolved']);
    for (const one of it.receiver.received) expect(verify(one)).toMatchObject({ rule: 'high_error_rate' });
    expect(new Set(it.receiver.ids()).size).toBe(2);
    expect(await outboxOf(it.db.url)).toMatchObject([
      { kind: 'firing', attempts: 1, outcome: 'delivered', reason: null },
      { kind: 'resolved', attempts: 1, outcome: 'delivered' },
    ]);
    expect(await scene.alerts.list({ state: 'all', limit: 10 })).toMatchObject([
      { id: `high_error_rate-${STARTED}`, state: 'resolved', duration_seconds: 600, peak: 43.2 },
    ]);
    expect(await scene.alerts.attempts({ limit: 10 })).toMatchObject([
      { kind: 'resolved', attempt: 1, outcome: 'delivered', status: 200 },
      { kind: 'firing', attempt: 1, outcome: 'delivered', status: 200 },
    ]);
    expect(scene.alerts.counts.delivered).toBe(2);
    expect(scene.log).toEqual([]);
  });

  test.each([
    ['answers 500', say(500)],
    ['hangs', hang],
    ['resets', reset],
    ['answers 429', say(429, '', { 'retry-after': '1' })],
  ])('a receiver that %s for an hour gets everything, in order, under the same ids', async (_, answer) => {
    it.receiver.answer = answer;
    // Short where each attempt waits for it; else a slow moment of this machine would count as an attempt more.
    const limits = { timeoutMs: answer === hang ? 100 : 10_000 };
    const scene = await open({ limits });
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(20 * MINUTE, MINUTE);
    await scene.decide({ kind: 'resolved' });
    await scene.pass(40 * MINUTE, MINUTE);
    const tries = it.receiver.received.length;
    expect(tries).toBeGreaterThan(10);
    expect(new Set(kinds())).toEqual(new Set(['firing']));
    expect(scene.alerts.receivers()).toMatchObject([{ name: 'ops', status: 'failing', pending: 2 }]);
    it.receiver.answer = say(200);
    limits.timeoutMs = 10_000;
    await scene.pass(6 * MINUTE, MINUTE);
    expect(kinds().slice(tries)).toEqual(['firing', 'resolved']);
    const ids = it.receiver.ids();
    expect(new Set(ids.slice(0, tries + 1)).size).toBe(1);
    expect(ids.at(-1)).not.toBe(ids[0]);
    expect(scene.alerts.receivers()).toMatchObject([{ status: 'ok', reason: null, pending: 0 }]);
    // An outage is told once, and its end once.
    expect(scene.log.filter((line) => line.includes('receiver_'))).toEqual([
      expect.stringMatching(/^warn: ops does not take notices: .*; trying again/),
      expect.stringMatching(/^info: ops takes notices again/),
    ]);
    expect(scene.alerts.counts).toMatchObject({ delivered: 2, retry: tries });
  });

  test('Retry-After is kept', async () => {
    it.receiver.answer = say(503, '', { 'retry-after': '600' });
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(599_000);
    expect(it.receiver.received).toHaveLength(1);
    await scene.pass(1_000);
    expect(it.receiver.received).toHaveLength(2);
  });

  test('a refusal is told at once and delays no other notice', async () => {
    it.receiver.answer = (response, { body }) =>
      response.writeHead(body.includes('slow_response') ? 200 : 400).end('cannot parse');
    const scene = await open();
    await scene.decide({ kind: 'firing' }, { kind: 'firing', rule: 'slow_response' });
    await scene.alerts.round();
    expect(await outboxOf(it.db.url)).toMatchObject([
      { rule: 'high_error_rate', outcome: 'pending', attempts: 1 },
      { rule: 'slow_response', outcome: 'delivered' },
    ]);
    await scene.pass(HOUR, MINUTE);
    expect(scene.log.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('ops does not accept a notice'),
    ]);
    expect(scene.alerts.receivers()[0]?.status).toBe('ok');
    it.receiver.answer = say(200);
    await scene.pass(6 * MINUTE, MINUTE);
    expect(await outboxOf(it.db.url)).toMatchObject([{ outcome: 'delivered' }, { outcome: 'delivered' }]);
  });

  test('a redirect is not followed', async () => {
    const other = await startReceiver();
    it.receiver.answer = say(307, '', { location: other.url });
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    expect(other.received).toEqual([]);
    expect(scene.log).toEqual([expect.stringContaining('answered 307, and redirects are not followed')]);
    await other.close();
  });

  test('after 410 nothing is sent there any more, over restarts, until the address changes', async () => {
    it.receiver.answer = say(410);
    const first = await open();
    await first.decide({ kind: 'firing' }, { kind: 'firing', rule: 'slow_response' });
    await first.alerts.round();
    await first.decide({ kind: 'resolved' });
    await first.pass(HOUR, MINUTE);
    expect(it.receiver.received).toHaveLength(1);
    expect(first.alerts.receivers()).toMatchObject([{ status: 'gone', pending: 0 }]);
    expect(first.alerts.counts).toMatchObject({ gone: 3, delivered: 0 });
    expect(first.log.filter((line) => line.startsWith('error'))).toHaveLength(1);
    await first.close();

    const second = await open();
    await second.decide({ kind: 'resolved', rule: 'slow_response' });
    await second.pass(MINUTE);
    expect(it.receiver.received).toHaveLength(1);
    await second.close();

    const third = await open({}, `${it.receiver.url}/new`);
    it.receiver.answer = say(200);
    await third.decide({ kind: 'firing', startsAt: STARTED + 1 });
    await third.pass(6 * MINUTE);
    expect(it.receiver.received).toHaveLength(2);
    expect(third.alerts.receivers()).toMatchObject([{ status: 'ok' }]);
  });

  test('what could not be delivered for a day is given up, loudly, and counted', async () => {
    it.receiver.answer = say(500);
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(24 * HOUR - MINUTE, 30 * MINUTE);
    expect(scene.log.some((line) => line.includes('given up'))).toBe(false);
    await scene.pass(10 * MINUTE, MINUTE);
    expect(scene.log.filter((line) => line.includes('notice_given_up'))).toEqual([
      expect.stringMatching(
        /^error: the firing notice of high_error_rate for ops is given up after 24 h and \d+ attempts/,
      ),
    ]);
    expect(scene.alerts.counts.given_up).toBe(1);
    expect(await outboxOf(it.db.url)).toMatchObject([{ outcome: 'given_up' }]);
    const tries = it.receiver.received.length;
    await scene.pass(HOUR, MINUTE);
    expect(it.receiver.received).toHaveLength(tries);
  });

  test('notices of a day that nobody was there for are given up and not sent', async () => {
    it.receiver.answer = say(500);
    const first = await open();
    await first.decide({ kind: 'firing' });
    await first.alerts.round();
    await first.close();
    it.receiver.answer = say(200);
    const second = await open();
    second.now = STARTED + 25 * HOUR;
    await second.pass(MINUTE);
    expect(it.receiver.received).toHaveLength(1);
    expect(second.alerts.counts.given_up).toBe(1);
  });

  test('the outbox is bounded: the oldest is dropped, reminders first, and it is said', async () => {
    it.receiver.answer = say(500);
    const scene = await open({ outboxLimit: 3 });
    await scene.decide({ kind: 'firing' });
    await scene.decide({ kind: 'firing', rule: 'slow_response' });
    await scene.decide({ kind: 'reminder', id: 'r1', rule: 'slow_response' });
    await scene.decide({ kind: 'resolved', id: 'x', startsAt: STARTED - 5 });
    expect(scene.alerts.pending).toBe(3);
    await scene.decide({ kind: 'resolved', id: 'y', startsAt: STARTED - 6 });
    expect(scene.alerts.pending).toBe(3);
    expect(scene.alerts.counts.dropped).toBe(2);
    expect((await outboxOf(it.db.url)).filter(({ outcome }) => outcome === 'dropped')).toMatchObject([
      { rule: 'high_error_rate', kind: 'firing' },
      { rule: 'slow_response', kind: 'reminder' },
    ]);
    expect(scene.log.filter((line) => line.includes('too many notices wait'))).toHaveLength(2);
  });

  test('reminders do not pile up behind a receiver that is down', async () => {
    it.receiver.answer = say(500);
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    for (let n = 1; n <= 5; n++) {
      await scene.pass(MINUTE);
      await scene.decide({ kind: 'reminder', id: `reminder:${n}` });
    }
    expect(scene.alerts.pending).toBe(2);
    it.receiver.answer = say(200);
    await scene.pass(6 * MINUTE);
    expect(kinds().slice(-2)).toEqual(['firing', 'reminder']);
    expect(scene.alerts.counts.superseded).toBe(4);
  });

  test('start() sends without being asked, within moments, and stop() ends what hangs', async () => {
    const slow = await startReceiver();
    slow.answer = hang;
    const scene = await unloaded(
      [
        { name: 'hanging', url: slow.url },
        { name: 'ops', url: it.receiver.url },
      ],
      { clock: () => Date.now(), limits: { timeoutMs: 60_000 } },
    );
    await scene.alerts.load();
    scene.alerts.start();
    scene.now = Date.now();
    await scene.decide({ kind: 'firing', startsAt: scene.now });
    await until(() => it.receiver.received.length === 1 && slow.received.length === 1, 'both are told');
    await scene.decide({ kind: 'resolved', startsAt: scene.now });
    await until(() => scene.alerts.counts.delivered === 2, 'one that hangs delays no other');
    expect(it.receiver.received).toHaveLength(2);
    await scene.alerts.stop();
    expect(await outboxOf(it.db.url)).toMatchObject([
      { receiver: 'hanging', outcome: 'pending', attempts: 0 },
      { receiver: 'ops', outcome: 'delivered' },
      { receiver: 'hanging', outcome: 'pending', attempts: 0 },
      { receiver: 'ops', outcome: 'delivered' },
    ]);
    await slow.close();
  });
});
