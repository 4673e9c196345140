import { describe, expect, test } from 'vitest';
import { Feed, type FeedReplay, passes } from '../../streams/feed.js';
import { toEvent } from '../../streams/mask.js';
import { batch, NOON, row } from './rows.js';

const rowsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => row(first + i));

function seqs(replay: FeedReplay): number[] | string {
  return 'events' in replay
    ? replay.events.map(({ seq }) => seq)
    : `gap ${replay.gap.from_seq}-${replay.gap.to_seq}`;
}

describe('Feed', () => {
  test('numbers inserts and updates in fold order, masked', () => {
    const feed = new Feed('here');
    const pending = row(2, { status: 'pending', customerEmail: 'ivan@example.com' });
    const read = feed.apply(
      batch(NOON, {
        rows: [row(1), pending],
        updates: [{ row: { ...pending, status: 'error', errorMessage: 'name: Ivan' }, previous: pending }],
        removals: [row(3, { status: 'pending' })],
      }),
    );
    expect(read?.()).toMatchObject([
      { seq: 1, id: 1, change: 'insert' },
      { seq: 2, id: 2, change: 'insert', status: 'pending', customer_email: 'i***@e***.com' },
      {
        seq: 3,
        id: 2,
        change: 'update',
        status: 'error',
        previous_status: 'pending',
        error_message: 'name: ***',
      },
    ]);
    expect(read?.()[0]).not.toHaveProperty('previous_status');
    expect(feed.lastSeq).toBe(3);
  });

  test('takes live rows only, and answers null where there are none', () => {
    const feed = new Feed('here');
    expect(feed.apply(batch(NOON, { origin: 'start', rows: rowsFrom(1, 5) }))).toBeNull();
    expect(feed.apply(batch(NOON, { removals: [row(1, { status: 'pending' })] }))).toBeNull();
    expect(feed.lastSeq).toBe(0);
    expect(seqs(feed.since({ epoch: 'here', seq: 0 }))).toEqual([]);
  });

  test.each([
    ['here', 5, [6, 7, 8, 9, 10, 11, 12]],
    ['here', 2, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['here', 12, []],
    ['here', 99, []],
    // One more than the ring holds is missing.
    ['here', 1, 'gap 2-12'],
    ['here', -7, 'gap -6-12'],
    ['elsewhere', 12, 'gap 1-12'],
  ])('since %s %d', (epoch, seq, expected) => {
    const feed = new Feed('here', 10);
    for (let i = 0; i < 12; i++) feed.apply(batch(NOON, { rows: rowsFrom(i, 1) }));
    expect(seqs(feed.since({ epoch, seq }))).toEqual(expected);
  });

  test('a batch larger than the ring is answered whole, and its newest part is kept', () => {
    const feed = new Feed('here', 10);
    expect(feed.apply(batch(NOON, { rows: rowsFrom(1, 25) }))?.()).toHaveLength(25);
    expect(seqs(feed.since({ epoch: 'here', seq: 15 }))).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(seqs(feed.since({ epoch: 'here', seq: 14 }))).toBe('gap 15-25');
  });

  test('an event read twice is the same, also one with much text', () => {
    const feed = new Feed('here');
    const read = feed.apply(
      batch(NOON, {
        rows: [
          row(1),
          row(2, {
            errorMessage: 'x '.repeat(900),
            batch: { operation_name: 'night', total: 1, success: 1, error: 0 },
          }),
        ],
      }),
    );
    const [first, second] = read?.() ?? [];
    expect(read?.()[0]).toBe(first);
    expect(feed.since({ epoch: 'here', seq: 1 })).toEqual({ events: [second] });
    expect(second?.error_message).toHaveLength(200);
  });
});

describe('passes', () => {
  const event = toEvent(row(1, { correlationId: 'c-1', customerId: '9007199254740993' }));
  test.each([
    [{}, true],
    [{ operation_types: [], statuses: [] }, true],
    [{ operation_types: ['sync_changes', 'created'] }, true],
    [{ operation_types: ['created'] }, false],
    [{ statuses: ['success'] }, true],
    [{ statuses: ['error'] }, false],
    [{ correlation_id: 'c-1' }, true],
    [{ correlation_id: 'c' }, false],
    [{ customer_id: '9007199254740993' }, true],
    [{ customer_id: 1 }, false],
    [{ operation_types: ['sync_changes'], statuses: ['error'] }, false],
  ])('%j: %s', (filter, expected) => {
    expect(passes(event, filter)).toBe(expected);
  });

  test('a number and its digits are the same customer', () => {
    expect(passes(toEvent(row(1, { customerId: 5 })), { customer_id: '5' })).toBe(true);
  });
});
