import { describe, expect, it } from 'vitest';
import { eventLine, jsonLine, timeOf, visible } from '../../src/cli/tail-format.js';
import { apiUrlOf, parseFeedUrl, parseSince } from '../../src/cli/tail-since.js';
import type { FeedEvent } from '../../streams/event.js';

const EVENT: FeedEvent = {
  seq: 1,
  change: 'insert',
  id: 7,
  operation_type: 'import_from_1c',
  status: 'success',
  customer_id: 42,
  customer_email: 'i***@e***.com',
  onec_id: 'CT-1',
  duration_ms: 182,
  correlation_id: 'abc',
  created_at: '2026-01-31T12:00:00.123456Z',
  error_message: null,
  conflict_source: null,
  identification_method: null,
  batch: null,
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/;

describe('an event as a line', () => {
  it('shows its columns', () => {
    const line = eventLine(EVENT, false);
    expect(line).toContain(timeOf(EVENT.created_at));
    expect(line).toMatch(
      / {2}success {13}import_from_1c {15}182 ms {2}customer 42 {8}CT-1 {10}abc {2}i\*\*\*@e\*\*\*\.com$/,
    );
  });

  it('shows a dash for nothing, never a 0', () => {
    const line = eventLine(
      {
        ...EVENT,
        customer_id: null,
        onec_id: null,
        duration_ms: null,
        correlation_id: null,
        created_at: null,
      },
      false,
    );
    expect(line).toMatch(/^- .* {2}- +customer - +- +- /);
    expect(line).not.toMatch(/\b0\b/);
  });

  it('shows what a row was before, and what is special about it', () => {
    const changed: FeedEvent = {
      ...EVENT,
      ...{ change: 'update', previous_status: 'pending', status: 'error', error_message: 'no answer' },
      ...{ conflict_source: 'data_import', identification_method: 'email' },
      batch: { operation_name: 'nightly', total: 10, success: 9, error: null },
    };
    const line = eventLine(changed, false);
    expect(line).toContain('pending > error');
    expect(line).toContain('source data_import  by email  nightly: 10 rows, 9 well, - in error');
    expect(line).toMatch(/no answer$/);
  });

  it('fits the terminal: the less telling columns go first, and what is too long is cut', () => {
    const long: FeedEvent = { ...EVENT, error_message: 'x'.repeat(200), correlation_id: '0'.repeat(36) };
    for (const width of [0, 1, 2, 12, 40, 69, 70, 99, 100, 139, 140, 200]) {
      const line = eventLine(long, false, width);
      expect([...line].length, `${width}`).toBe(width);
      expect(eventLine(EVENT, false, width).length).toBeLessThanOrEqual(width);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
      expect(eventLine(long, true, width).replace(/\u001b\[\d+m/g, '')).toBe(line);
    }
    expect(eventLine(EVENT, false, 66)).toMatch(
      /^\d\d:\d\d:00\.123 {2}success {4}import_from_1c .* 182 ms {2}i\*/,
    );
    expect(eventLine(EVENT, false, 80)).toContain('customer 42');
    expect(eventLine(EVENT, false, 80)).not.toContain('CT-1');
    expect(eventLine({ ...EVENT, created_at: null }, false, 66)).toMatch(/^- {13}success/);
  });

  it('has colours only when asked for', () => {
    expect(eventLine(EVENT, true)).toContain('\u001b[32msuccess');
    expect(eventLine(EVENT, false)).not.toMatch(CONTROL);
  });

  it('lets no row steer the terminal, in text or JSON', () => {
    const evil = 'a\u001b[2J\u0007\u009b31m\u202eb\u2028c\r\nd';
    const event = {
      ...EVENT,
      ...{ operation_type: evil, status: evil, previous_status: evil, onec_id: evil, correlation_id: evil },
      ...{ error_message: evil, customer_email: evil, conflict_source: evil, identification_method: evil },
      ...{ created_at: evil, batch: { operation_name: evil, total: 1, success: 1, error: 0 } },
    };
    expect(eventLine(event, false)).not.toMatch(CONTROL);
    expect(jsonLine(event)).not.toMatch(CONTROL);
    expect(JSON.parse(jsonLine(event))).toEqual(event);
    expect(visible('обычный текст ✓')).toBe('обычный текст ✓');
  });
});

describe('--since', () => {
  const now = Date.UTC(2026, 0, 31, 12);

  it.each([
    ['30s', now - 30_000],
    ['10m', now - 600_000],
    ['2h', now - 7_200_000],
    ['1d', now - 86_400_000],
    ['2026-01-31T11:00:00Z', now - 3_600_000],
    ['2026-01-31T14:00:00+03:00', now - 3_600_000],
  ])('understands %s', (text, expected) => expect(parseSince(text, now)).toBe(expected));

  it.each(['', '10', '10 m', '-5m', '5w', 'yesterday', '2026-13-01', '1.5h'])('refuses %j', (text) => {
    expect(() => parseSince(text, now)).toThrow(
      /--since is .*; allowed: 30s, 10m, 2h, 1d or an ISO 8601 time/,
    );
  });
});

describe('--url', () => {
  it.each([
    ['ws://127.0.0.1:8080/ws', 'ws://127.0.0.1:8080/ws'],
    ['http://127.0.0.1:8080', 'ws://127.0.0.1:8080/ws'],
    ['https://monitor.example.com/sync/ws', 'wss://monitor.example.com/sync/ws'],
  ])('understands %s', (text, expected) => expect(parseFeedUrl(text)).toBe(expected));

  it.each(['', 'foo', '127.0.0.1:8080', 'ftp://x/ws', 'ws://h/ws#part'])('refuses %j', (text) => {
    expect(() => parseFeedUrl(text)).toThrow('allowed: an address such as ws://127.0.0.1:8080/ws');
  });
});

it.each([
  ['ws://127.0.0.1:8080/ws', 'http://127.0.0.1:8080/api/events/'],
  ['wss://h/monitor/ws/?x=1', 'https://h/monitor/api/events/'],
])('the past events of %s are at %s', (feed, expected) =>
  expect(apiUrlOf(feed, '/api/events/')).toBe(expected),
);
