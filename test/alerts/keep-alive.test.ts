import { afterEach, expect, test } from 'vitest';
import { KeepAlive } from '../../src/alerts/keep-alive.js';
import { receiverOf } from '../../src/alerts/receivers.js';
import { until } from '../source/collector.js';
import { type Answer, type Receiver, say, startReceiver } from './receiver.js';
import { POLICY } from './scene.js';

const FIRING = '[{"labels":{"alertname":"a"}}]';
const OVER = '[{"labels":{"alertname":"a"},"endsAt":"2026-03-01T12:00:00Z"}]';
const log = { info() {}, warn() {}, error() {} };
const notice = (kind: 'firing' | 'resolved', body: string) => ({
  receiver: 'am',
  alertId: 'one',
  kind,
  body,
});

let server: Receiver;
afterEach(() => server.close());

async function keepAlive(): Promise<KeepAlive> {
  server = await startReceiver();
  const spec = { name: 'am', url: server.url, format: 'alertmanager' };
  return new KeepAlive([receiverOf(spec, { policy: POLICY, secret: null, locale: 'en' })], POLICY, log);
}

const bodies = () => server.received.map(({ body }) => body);

test('what is over while it is being renewed is told once more, after that', async () => {
  const alive = await keepAlive();
  alive.told(notice('firing', FIRING));
  let release: () => void = () => undefined;
  const held: Answer = (response, request) => {
    release = () => say(200, 'ok')(response, request);
  };
  server.answer = held;
  const renewed = alive.renew(new AbortController().signal);
  await until(() => server.received.length === 1, 'the renewal is there, and not answered');
  alive.told(notice('resolved', OVER));
  server.answer = say(200, 'ok');
  release();
  await renewed;
  await until(() => server.received.length === 2, 'told once more');
  expect(bodies()).toEqual([FIRING, OVER]);
});

test('what is over long after, or was never renewed, is not told again; what fires is renewed', async () => {
  const alive = await keepAlive();
  alive.told(notice('firing', FIRING));
  alive.told(notice('resolved', OVER));
  await alive.renew(new AbortController().signal);
  alive.told({ ...notice('firing', FIRING), alertId: 'two' });
  await alive.renew(new AbortController().signal);
  expect(bodies()).toEqual([FIRING]);
});
