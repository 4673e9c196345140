import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiverOf } from '../../src/alerts/receivers.js';
import { sendTest } from '../../src/alerts/test-notice.js';
import { type Receiver, SECRET, say, startReceiver, verify } from './receiver.js';

const POLICY = { allowHttp: false, denyPrivate: false };

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

test.each(['en', 'ru'] as const)('a test notice is signed, marked as a test, in %s', async (locale) => {
  const to = receiverOf({ name: 'ops', url: receiver.url }, { policy: POLICY, secret: SECRET, locale });
  const answer = await sendTest(
    to,
    { policy: POLICY, publicUrl: 'https://monitor.example.com/' },
    Date.now(),
  );
  expect(answer).toEqual({ outcome: 'delivered', status: 200, answer: 'ok' });
  const [one] = receiver.received;
  if (!one) throw new Error('nothing came');
  expect(verify(one)).toMatchObject({
    ...{ test: true, rule: 'alert_test', state: 'firing' },
    title:
      locale === 'en' ? '[TEST] customer-sync-monitor can reach you' : expect.stringContaining('[ПРОВЕРКА]'),
  });
});

test('what the receiver says against it is told', async () => {
  receiver.answer = say(401, 'who are you?');
  const to = receiverOf({ name: 'ops', url: receiver.url }, { policy: POLICY, secret: null, locale: 'en' });
  expect(await sendTest(to, { policy: POLICY, publicUrl: null }, Date.now())).toMatchObject({
    outcome: 'refused',
    status: 401,
    reason: expect.stringContaining('answered 401: who are you?'),
  });
});
