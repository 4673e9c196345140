/** No input of any kind gets an answer that the document does not tell of. */
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openRealMonitor } from './real-monitor.js';

let real: Awaited<ReturnType<typeof openRealMonitor>>;

beforeAll(async () => {
  real = await openRealMonitor();
});

afterAll(async () => {
  await real?.close();
  expect(real.failures).toEqual([]);
});

describe('no input', () => {
  const words = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1',
      '9223372036854775807',
      '-9223372036854775807',
      '2026-01-01',
      '9999-12-31',
    ),
    fc.constantFrom(
      'error',
      "'; DROP TABLE x --",
      '%00',
      '\u0000',
      '\ud800',
      '__proto__',
      '[]',
      'NaN',
      '1e3',
    ),
  );
  const names = fc.constantFrom(
    ...['type', 'status', 'correlation_id', 'customer_id', 'onec_id', 'since', 'until', 'before_id', 'limit'],
    ...['start_date', 'end_date', 'tz', 'compare', 'state', 'rule', 'before', 'past', '__proto__', ''],
  );
  const bodyKeys = fc.constantFrom(
    ...['by', 'note', 'rule', 'ends_at', 'starts_at', 'reason', 'created_by', '__proto__'],
  );
  const wellFormed = (text: string) => Buffer.from(text).toString();
  const queries = fc
    .array(fc.tuple(names, words), { maxLength: 4 })
    .map((pairs) =>
      pairs.map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value))}`).join('&'),
    );

  it('of path, query or header gets an answer that is not described, or a 500', async () => {
    const described = Object.entries(real.judge.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ path, method })),
    );
    const bodies = fc.oneof(
      words,
      fc.json(),
      fc.dictionary(bodyKeys, fc.oneof(words, fc.jsonValue())).map((body) => JSON.stringify(body)),
    );
    const headers = fc.dictionary(
      fc.constantFrom(
        'authorization',
        'accept',
        'origin',
        'if-none-match',
        'content-type',
        'range',
        'x-forwarded-for',
      ),
      fc.string({ maxLength: 40 }).map((text) => text.trim()),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...described),
        words,
        queries,
        headers,
        bodies,
        async ({ path, method }, id, query, sent, body) => {
          const asked = path.replace('{id}', encodeURIComponent(wellFormed(id || '7')).replace(/^\.+$/, '7'));
          const response = await real.get(`${asked}?${query}`, {
            ...{ method, headers: sent },
            ...(method === 'post' ? { body: wellFormed(body) } : {}),
          });
          if (response.status === 304) return; // the page, by If-None-Match: *
          expect(response.status).not.toBe(500);
          await real.judge.judge(path, method, response);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('that is no path of ours gets anything but the error form', async () => {
    const parts = fc.array(
      fc.oneof(
        fc.constantFrom('api', 'events', 'monitoring', 'ws', '..', '%2e%2e', '%', '%ff', 'page.js'),
        words,
      ),
      { maxLength: 5 },
    );
    const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(parts, methods, async (all, method) => {
        const path = all
          .map((part) => (part.startsWith('%') ? part : encodeURIComponent(wellFormed(part))))
          .join('/');
        const response = await real.get(`/${path}`.replace(/^\/+/, '/'), { method });
        expect(response.status).toBeLessThan(500);
        const body = await response.text();
        if (response.status >= 400) real.judge.component('Error', JSON.parse(body));
      }),
      { numRuns: 400 },
    );
  });

  it('on the WebSocket ends the monitor, and each is answered in the protocol', async () => {
    const subscriptions = fc.record(
      {
        type: fc.constantFrom('subscribe', 'publish'),
        topics: fc.oneof(fc.subarray(['snapshot', 'events', 'alerts', 'health']), fc.jsonValue()),
        filter: fc.oneof(
          fc.record({ statuses: fc.array(words), customer_id: fc.jsonValue() }),
          fc.jsonValue(),
        ),
        since: fc.oneof(fc.record({ epoch: words, seq: fc.integer() }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const messages = fc.oneof(
      subscriptions.map((one) => JSON.stringify(one)),
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(messages, { minLength: 1, maxLength: 12 }), async (all) => {
        const socket = new WebSocket(real.socketUrl);
        const faults: unknown[] = [];
        socket.on('message', (data) => {
          try {
            real.judge.component('ServerMessage', JSON.parse(String(data)));
          } catch (error) {
            faults.push(error);
          }
        });
        await once(socket, 'open');
        for (const message of all) socket.send(message);
        socket.close();
        const [code] = await once(socket, 'close');
        expect(faults).toEqual([]);
        expect([1000, 1005, 1003, 1007, 1008]).toContain(code);
      }),
      { numRuns: 60 },
    );
    expect((await real.get('/livez')).status).toBe(200);
  });
});
