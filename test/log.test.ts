import { describe, expect, it } from 'vitest';
import { createLog, redactUrl } from '../src/log.js';

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
  ])('%s', (text, expected) => expect(redactUrl(text)).toBe(expected));

  it('takes linear time on hostile text', () => {
    for (const part of ['a', 'a:', '://', 'a://b:', '@', 'x@y.'])
      redactUrl(part.repeat(100_000 / part.length));
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

  it('lets no value forge a line or steer a terminal', () => {
    const { log, written } = lines('text');
    log.info({ value: 'a\u001b[2Jb' }, 'one\n2026-01-01 FAKE\u001b[31m');
    log.error({ error: new Error('bad\u001b[2J') }, 'failed');
    expect(written[0]?.match(/\n/g)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the character that begins terminal commands
    expect(written.join('')).not.toMatch(/\u001b/);
  });

  it('keeps to its level', () => {
    const { log, written } = lines('json', 'warn');
    log.info('quiet');
    log.warn('loud');
    expect(written).toHaveLength(1);
  });
});
