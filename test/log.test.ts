import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createLog, redactUrl } from '../src/log.js';
import { logRows } from '../src/log-rows.js';
import type { SyncEvent } from '../streams/event.js';

function lines(format: 'text' | 'json', level = 'info') {
  const written: string[] = [];
  return { log: createLog({ level, format, write: (line) => written.push(line) }), written };
}

describe('redactUrl', () => {
  it.each([
    ['postgres://u:secret@db:5432/shop', 'postgres://u:***@db:5432/shop'],
    ['postgres://u:p@ss:word@db/shop', 'postgres://u:***@db/shop'],
    ['redis://:secret@cache', 'redis://:***@cache'],
    ['cannot reach postgres://u:secret@db/x: refused', 'cannot reach postgres://u:***@db/x: refused'],
    ['host=db password=secret user=u', 'host=db password=*** user=u'],
    ['postgres://db/shop?user=u&password=secret&x=1', 'postgres://db/shop?user=u&password=***&x=1'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
    ['postgres://u@db:5432/shop', 'postgres://u@db:5432/shop'],
    ["password = 'two words' user=u", 'password = *** user=u'],
    ['https://h/x?access_token=abc&y=1', 'https://h/x?access_token=***&y=1'],
    ['{"api_key": "a b", "n": 1}', '{"api_key": ***, "n": 1}'],
    ['authorization: Bearer abc.def-123', 'authorization: Bearer ***'],
    ['POST https://api.telegram.org/bot123:AAE-x_y/sendMessage', 'POST https://api.telegram.org/bot123:***'],
    ['https://hooks.slack.com/services/T0/B0/abc: 404', 'https://hooks.slack.com/***: 404'],
    ['password authentication failed for user "u"', 'password authentication failed for user "u"'],
    ['AUTH_TOKEN is not set', 'AUTH_TOKEN is not set'],
  ])('%s', (text, expected) => expect(redactUrl(text)).toBe(expected));

  it('takes linear time on hostile text', () => {
    const { log } = lines('json');
    for (const part of [
      'a',
      'a:',
      '://',
      'a://b:',
      '@',
      'x@y.',
      'token=',
      'token "',
      'bearer ',
      '/bot1',
      'name:',
      '1 ',
    ])
      log.info(redactUrl(part.repeat(100_000 / part.length)));
  });
});

describe('the log', () => {
  it('writes JSON lines with timestamp, level and event_type', () => {
    const { log, written } = lines('json');
    log.info({ event_type: 'started', port: 8080 }, 'listening');
    const line = JSON.parse(written[0] ?? '');
    expect(line).toMatchObject({ level: 'info', event_type: 'started', port: 8080, message: 'listening' });
    expect(line.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(written[0]?.endsWith('}\n')).toBe(true);
  });

  it('writes text lines for people', () => {
    const { log, written } = lines('text');
    log.warn({ event_type: 'bell_dead', reason: 'two words', count: 3 }, 'the bell is dead');
    expect(written[0]).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARN {2}the bell is dead event_type=bell_dead reason="two words" count=3\n$/,
    );
  });

  it('takes out passwords and addresses wherever they stand', () => {
    for (const format of ['text', 'json'] as const) {
      const { log, written } = lines(format);
      const cause = new Error('connect to postgres://u:hunter2@db failed for ivan@example.com');
      log.error(
        { error: new Error('outer', { cause }), nested: { url: 'redis://:hunter2@c' } },
        'ivan@example.com',
      );
      log.error(
        { password: 'hunter2', auth_token: 'hunter2', deep: [{ secret: 'hunter2' }] },
        '"ivan@example.com"',
      );
      expect(written.join('')).not.toContain('hunter2');
      expect(written.join('')).not.toContain('ivan@');
      expect(written.join('')).toContain('i***@e***.com');
      expect(written.join('')).toContain('outer');
    }
  });

  it('takes out personal data, of text, of nested errors and of the row in an error of PostgreSQL', () => {
    const cause = Object.assign(new Error('row of +7 (912) 345-67-89'), {
      detail: 'Failing row contains (7, Иван Петров)',
    });
    const error = new Error('tax number 770708389312 of ФИО: Иван Петров', { cause });
    for (const format of ['text', 'json'] as const) {
      const { log, written } = lines(format);
      log.error({ error, customer: { full_name: 'Иван Петров', phone: '8 912 345 67 89' } }, 'name="Иван"');
      log.error({ error: cause, list: ['7707083893', { cookie: 'hunter2' }] }, 'inn 7707083893');
      const text = written.join('');
      expect(text).not.toMatch(/Иван|345|7707|hunter2/);
      expect(text).toMatch(/tax number \*\*\*/);
    }
  });

  it('leaves what an operator needs', () => {
    const { log, written } = lines('json');
    const message =
      'connect ECONNREFUSED 10.1.2.3:5432, postgres://monitor@db.example.com/portal, 0/1A2B3C4D';
    const ids = { correlation_id: '770708389312', customer_id: '79123456789', onec_id: '7707083893' };
    class OddError extends Error {
      override readonly name = 'OddError';
    }
    log.warn(
      { event_type: 'x', at: '2026-01-31T12:00:00.123Z', ...ids, error: new OddError('odd') },
      message,
    );
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      ...{ message, ...ids, at: '2026-01-31T12:00:00.123Z' },
      error: { name: 'OddError', message: 'odd' },
    });
  });

  it('lets no value forge a line or steer a terminal', () => {
    const { log, written } = lines('text');
    log.info({ value: 'a\u001b[2Jb' }, 'one\n2026-01-01 FAKE\u001b[31m');
    log.error({ error: new Error('bad\u001b[2J') }, 'failed');
    expect(written[0]?.match(/\n/g)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the character that begins terminal commands
    expect(written.join('')).not.toMatch(/\u001b/);
  });

  it('has a line for each row at the level debug, with the fields that are searched for', () => {
    const event = {
      ...{ id: 7, operation_type: 'export_to_1c', status: 'error', customer_id: '9007199254740993' },
      ...{ customer_email: 'i***@e***.com', onec_id: null, duration_ms: 120, correlation_id: 'corr-1' },
      ...{ created_at: null, error_message: 'refused', conflict_source: null },
      ...{ identification_method: null, batch: null },
    };
    for (const [level, count] of [
      ['debug', 2],
      ['info', 0],
    ] as const) {
      const { log, written } = lines('json', level);
      const events$ = new Subject<readonly SyncEvent[]>();
      const subscription = logRows(log, events$);
      events$.next([event, event]);
      subscription.unsubscribe();
      events$.next([event]);
      expect(written).toHaveLength(count);
      if (written[0]) {
        const { timestamp: _, ...line } = JSON.parse(written[0]);
        expect(line).toEqual({
          ...{ level: 'debug', event_type: 'sync_operation', message: 'export_to_1c error', id: 7 },
          ...{ operation_type: 'export_to_1c', status: 'error', customer_id: '9007199254740993' },
          ...{ correlation_id: 'corr-1', duration_ms: 120, error_message: 'refused' },
        });
      }
    }
  });

  it('keeps to its level', () => {
    const { log, written } = lines('json', 'warn');
    log.info('quiet');
    log.warn('loud');
    expect(written).toHaveLength(1);
  });
});
