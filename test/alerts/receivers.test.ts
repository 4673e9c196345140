import { expect, test } from 'vitest';
import { type ReceiverDefaults, receiverOf, receiversOf } from '../../src/alerts/receivers.js';

const DEFAULTS: ReceiverDefaults = {
  policy: { allowHttp: false, denyPrivate: false },
  secret: null,
  locale: 'ru',
};

// address as written, format, address that is posted to
test.each([
  ['https://example.com/hook?a=b', 'generic', 'https://example.com/hook?a=b'],
  ['https://hooks.slack.com/services/T/B/x', 'slack', 'https://hooks.slack.com/services/T/B/x'],
  [
    'https://contoso.webhook.office.com/webhookb2/1',
    'teams',
    'https://contoso.webhook.office.com/webhookb2/1',
  ],
  [
    'https://prod-1.westeurope.logic.azure.com:443/w?sig=1',
    'teams',
    'https://prod-1.westeurope.logic.azure.com/w?sig=1',
  ],
  ['https://api.telegram.org/bot1:a?chat_id=-5', 'telegram', 'https://api.telegram.org/bot1:a/sendMessage'],
  [
    'https://api.telegram.org/bot1:a/sendMessage?chat_id=@c&message_thread_id=7',
    'telegram',
    'https://api.telegram.org/bot1:a/sendMessage',
  ],
  ['http://127.0.0.1:9093/api/v2/alerts', 'alertmanager', 'http://127.0.0.1:9093/api/v2/alerts'],
])('%s is of the format %s', (url, format, posted) => {
  const receiver = receiverOf({ name: 'x', url }, DEFAULTS);
  expect([receiver.choice.format, receiver.url.href]).toEqual([format, posted]);
  expect(receiver.locale).toBe('ru');
});

test('Telegram gets its chat and topic', () => {
  const url = 'https://api.telegram.org/bot1:a?chat_id=-5&message_thread_id=7';
  expect(receiverOf({ name: 'x', url }, DEFAULTS).choice).toEqual({
    format: 'telegram',
    chatId: '-5',
    threadId: 7,
  });
  expect(receiverOf({ name: 'x', url, chat_id: '@c', thread_id: 9 }, DEFAULTS).choice).toEqual({
    ...{ format: 'telegram', chatId: '@c', threadId: 9 },
  });
});

test('an Alertmanager may be named by its root', () => {
  const { url } = receiverOf(
    { name: 'x', url: 'https://am.example.com/prefix/', format: 'alertmanager' },
    DEFAULTS,
  );
  expect(url.href).toBe('https://am.example.com/prefix/api/v2/alerts');
});

test('receivers are named after their hosts, each with a name of its own', () => {
  const urls = [
    'https://a.example.com/1',
    'https://a.example.com/2',
    'https://b.example.com/',
    'http://[::1]:80/',
  ];
  const receivers = receiversOf(urls, DEFAULTS);
  expect(receivers.map(({ name }) => name)).toEqual([
    'a.example.com',
    'a.example.com-2',
    'b.example.com',
    '1',
  ]);
  expect(new Set(receivers.map(({ fingerprint }) => fingerprint)).size).toBe(4);
  expect(receiversOf([], DEFAULTS)).toEqual([]);
});

test('all mistakes are told, each once, without what is secret', () => {
  const urls = [
    'http://a.example.com/secret-path',
    'https://b.example.com/x',
    'https://api.telegram.org/bot1:token',
  ];
  const message = (secret: string | null) => {
    try {
      receiversOf(urls, { ...DEFAULTS, secret });
    } catch (error) {
      return (error as Error).message.split('\n');
    }
    throw new Error('nothing was wrong');
  };
  expect(message(null)).toEqual([
    'WEBHOOK_ALERT_URL sends over http to a.example.com; allowed: https, a loopback address, or WEBHOOK_ALLOW_HTTP=true',
    expect.stringContaining('WEBHOOK_ALERT_URL of a Telegram receiver is missing'),
  ]);
  expect(message('not base 64')[1]).toMatch(/^WEBHOOK_SECRET cannot sign: allowed: "whsec_" and base64/);
  expect(message('hush-hush').join()).not.toMatch(/secret-path|bot1|token|hush/);
});

test('http and private addresses follow the policy', () => {
  const url = 'http://10.0.0.1/';
  const of = (allowHttp: boolean, denyPrivate: boolean) => () =>
    receiverOf({ name: 'x', url }, { ...DEFAULTS, policy: { allowHttp, denyPrivate } });
  expect(of(false, false)).toThrow('sends over http');
  expect(of(true, true)).toThrow('a private address');
  expect(of(true, false)().url.href).toBe(url);
});
