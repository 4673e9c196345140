import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publicLookup } from '../../src/alerts/address.js';
import { createSigner } from '../../src/alerts/sign.js';
import { attempt, type Delivery, parseRetryAfter, redactedUrl } from '../../src/alerts/webhook.js';
import { hang, type Receiver, reset, SECRET, say, startReceiver, verify } from './receiver.js';

const OPEN = { allowHttp: false, denyPrivate: false };
const NOW = Date.parse('2026-03-01T12:00:00Z');

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

function to(url: string, rest: Partial<Delivery> = {}): Delivery {
  return { url: new URL(url), body: '{"a":"ü"}', headers: {}, policy: OPEN, now: NOW, ...rest };
}

describe('one attempt at a real receiver', () => {
  test('is delivered, whole and signed so that the library of receivers believes it', async () => {
    const headers = createSigner(SECRET)('msg_1', new Date(), '{"a":"ü"}');
    const result = await attempt(to(receiver.url, { headers }));
    expect(result).toEqual({ outcome: 'delivered', status: 200, answer: 'ok' });
    const [one] = receiver.received;
    if (!one) throw new Error('nothing came');
    expect(verify(one)).toEqual({ a: 'ü' });
    expect(one.headers['webhook-id']).toBe('msg_1');
    expect(one.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(() => verify({ ...one, body: '{"a":"u"}' })).toThrow('No matching signature');
  });

  test.each([
    [200, {}, 'delivered', undefined],
    [202, {}, 'delivered', undefined],
    [204, {}, 'delivered', undefined],
    [301, { location: 'http://127.0.0.1:1/' }, 'refused', undefined],
    [307, { location: '/elsewhere' }, 'refused', undefined],
    [400, {}, 'refused', undefined],
    [401, {}, 'refused', undefined],
    [404, { 'retry-after': '5' }, 'refused', undefined],
    [408, {}, 'retry', null],
    [410, {}, 'gone', undefined],
    [425, {}, 'retry', null],
    [429, { 'retry-after': '120' }, 'retry', 120_000],
    [500, {}, 'retry', null],
    [502, {}, 'retry', null],
    [503, { 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }, 'retry', 30_000],
    [503, { 'retry-after': 'soon' }, 'retry', null],
  ])('an answer of %i with %j is %s', async (status, headers, outcome, retryAfterMs) => {
    receiver.answer = say(status, '', headers);
    const result = await attempt(to(receiver.url));
    expect(result).toMatchObject({ outcome, status });
    if (outcome === 'retry') expect(result).toMatchObject({ retryAfterMs });
    // A redirect is an answer and not a place to go.
    expect(receiver.received).toHaveLength(1);
  });

  test('Telegram says in the body how long to wait', async () => {
    receiver.answer = say(429, '{"ok":false,"error_code":429,"parameters":{"retry_after":7}}');
    expect(await attempt(to(receiver.url))).toMatchObject({ outcome: 'retry', retryAfterMs: 7_000 });
  });

  test('a fault that is told with a 200 is one', async () => {
    receiver.answer = say(200, 'delivery failed: 429');
    const faultIn = (answer: string) => (answer.includes('failed') ? answer : null);
    expect(await attempt(to(receiver.url, { faultIn }))).toMatchObject({ outcome: 'retry', status: 200 });
  });

  test('a receiver that hangs is left after the time-out', async () => {
    receiver.answer = hang;
    expect(await attempt(to(receiver.url), { timeoutMs: 50 })).toEqual({
      outcome: 'retry',
      status: null,
      reason: `${redactedUrl(new URL(receiver.url))}: no answer within 50 ms`,
      retryAfterMs: null,
    });
  });

  test('a 200 whose body never ends, or is endless, is an answer', async () => {
    receiver.answer = (response) => {
      response.writeHead(200);
      response.write('partly');
    };
    expect(await attempt(to(receiver.url), { timeoutMs: 200 })).toMatchObject({
      outcome: 'delivered',
      answer: 'partly',
    });
    receiver.answer = (response) => {
      response.writeHead(500);
      const pour = () => void (response.destroyed || response.write('x'.repeat(65_536), pour));
      pour();
    };
    expect(await attempt(to(receiver.url))).toMatchObject({ outcome: 'retry', status: 500 });
  });

  test('a reset connection, a closed port and what is no HTTP are tried again', async () => {
    receiver.answer = reset;
    expect(await attempt(to(receiver.url))).toMatchObject({
      outcome: 'retry',
      reason: expect.stringMatching(/ECONNRESET|hang up/),
    });
    expect(await attempt(to('https://127.0.0.1:1/'))).toMatchObject({
      outcome: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    const noise = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume().end('220 mail ready\r\n');
    });
    await new Promise<void>((done) => noise.listen(0, '127.0.0.1', done));
    const { port } = noise.address() as AddressInfo;
    expect(await attempt(to(`http://127.0.0.1:${port}/`))).toMatchObject({ outcome: 'retry', status: null });
    expect(await attempt(to(`https://127.0.0.1:${port}/`))).toMatchObject({ outcome: 'retry', status: null });
    await new Promise((done) => noise.close(done));
  });

  test('stopping ends it at once', async () => {
    receiver.answer = () => abort.abort();
    const abort = new AbortController();
    const result = await attempt(to(receiver.url), { timeoutMs: 60_000, signal: abort.signal });
    expect(result).toMatchObject({ outcome: 'retry', reason: expect.stringContaining('stopping') });
    expect(await attempt(to(receiver.url), { timeoutMs: 60_000, signal: abort.signal })).toMatchObject({
      outcome: 'retry',
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('no reason shows what is secret in an address, or personal in an answer', async () => {
    const { port } = new URL(receiver.url);
    const secret = `http://user:pass-word@127.0.0.1:${port}/bot123:abc/T000?token=xyz`;
    const reasons: string[] = [];
    for (const answer of [say(500, 'no ivan@example.com here'), say(410), say(404), say(302), reset, hang]) {
      receiver.answer = answer;
      reasons.push(JSON.stringify(await attempt(to(secret), { timeoutMs: 50 })));
    }
    reasons.push(JSON.stringify(await attempt(to('http://u:pass-word@example.com/T000?token=xyz'))));
    expect(reasons.join('\n')).not.toMatch(/pass-word|bot123|T000|xyz|ivan@/);
    expect(reasons[0]).toContain(`http://127.0.0.1:${port}/*** answered 500: no i***@e***.com here`);
    expect(receiver.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('user:pass-word').toString('base64')}`,
    );
  });
});

describe('WEBHOOK_DENY_PRIVATE', () => {
  const denying = { allowHttp: true, denyPrivate: true };

  test('a name that leads inside is refused before a byte is sent', async () => {
    const { port } = new URL(receiver.url);
    const resolve = (_: string, done: (error: null, found: { address: string; family: number }[]) => void) =>
      done(null, [
        { address: '203.0.114.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const result = await attempt(to(`http://alerts.example.com:${port}/`, { policy: denying }), {
      timeoutMs: 5_000,
      resolve,
    });
    expect(result).toEqual({
      outcome: 'refused',
      status: null,
      reason: `http://alerts.example.com:${port}: alerts.example.com leads to 127.0.0.1, a private address, and WEBHOOK_DENY_PRIVATE is true`,
    });
    expect(receiver.received).toEqual([]);
  });

  test('the addresses that were checked are the ones that are connected to', () => {
    const answers = [[{ address: '8.8.8.8', family: 4 }], [{ address: '127.0.0.1', family: 4 }]];
    const look = publicLookup((_, done) => done(null, answers.shift() ?? []));
    const found: unknown[] = [];
    const note = (error: Error | null, address: unknown, family?: number) =>
      found.push(error?.message ?? [address, family]);
    look('rebind.example.com', { all: true }, note);
    look('rebind.example.com', {}, note);
    look('nowhere.example.com', {}, note);
    expect(found).toEqual([
      [[{ address: '8.8.8.8', family: 4 }], undefined],
      'rebind.example.com leads to 127.0.0.1, a private address, and WEBHOOK_DENY_PRIVATE is true',
      'nowhere.example.com has no address',
    ]);
  });

  test('the same name is let through where it is not forbidden', async () => {
    const { port } = new URL(receiver.url);
    expect(await attempt(to(`http://localhost:${port}/`))).toMatchObject({ outcome: 'delivered' });
    expect(await attempt(to(`http://localhost:${port}/`, { policy: denying }))).toMatchObject({
      outcome: 'refused',
    });
    expect(receiver.received).toHaveLength(1);
  });
});

test.each([
  ['0', 0],
  ['30', 30_000],
  [' 30 ', 30_000],
  ['-1', null],
  ['1.5', null],
  ['99999999999', null],
  ['Sun, 01 Mar 2026 12:01:00 GMT', 60_000],
  ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
  ['2026-03-01', null],
  ['', null],
  [undefined, null],
])('Retry-After %j is %j ms', (header, ms) => {
  expect(parseRetryAfter(header, NOW)).toBe(ms);
});
