import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addOlder,
  type EventList,
  type FeedRow,
  including,
  NO_ROWS,
  put,
} from '../../dashboards/live/src/panels/feed/list.js';
import { row } from './feed-rows.js';

const all = () => true;
const ids = ({ rows }: EventList) => rows.map(({ id }) => id);

describe('the list of the feed', () => {
  it('has what happened last on top, each row once', () => {
    const first = put(NO_ROWS, [row(1, { status: 'pending' }), row(2), row(3)], all, 10);
    expect(ids(first.list)).toEqual([3, 2, 1]);
    const second = put(first.list, [row(1, { previous_status: 'pending' }), row(4), row(4)], all, 10);
    expect(ids(second.list)).toEqual([4, 1, 3, 2]);
    expect(second.list.rows[1]).toMatchObject({ status: 'success', previous_status: 'pending' });
    expect(second.came).toBe(3);
  });

  it('loses a row that does not match any more, and does not count it', () => {
    const pending = (one: FeedRow) => one.status === 'pending';
    const waiting = put(NO_ROWS, [row(1, { status: 'pending' }), row(2, { status: 'pending' })], pending, 10);
    const settled = put(waiting.list, [row(1), row(3)], pending, 10);
    expect(ids(settled.list)).toEqual([2]);
    expect(settled.came).toBe(0);
  });

  it('tells from where on what gave way can be read again', () => {
    const { list } = put(NO_ROWS, [row(5), row('9007199254740993'), row(7), row(8)], all, 2);
    expect(ids(list)).toEqual([8, 7]);
    expect(list.before).toBe('9007199254740994');
    expect(addOlder(list, { rows: [row('9007199254740993'), row(7), row(6)], before: '6' })).toEqual({
      rows: [row(8), row(7), row('9007199254740993'), row(6)],
      before: '6',
    });
  });

  it('asks for a page that begins with a row', () => {
    expect([including(41), including('9007199254740993'), including(-1)]).toEqual([
      '42',
      '9007199254740994',
      '0',
    ]);
  });

  it('never misses a row, however much gave way in between', () => {
    // A table that grows and changes; the page reads on from where the list says until there is nothing older.
    const step = fc.oneof(
      fc.record({ kind: fc.constant('insert' as const), count: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('update' as const), of: fc.nat() }),
      fc.record({ kind: fc.constant('older' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 12 }), (steps, most) => {
        const table: FeedRow[] = [];
        const page = (before: string | null, limit: number): EventList => {
          const below = table.filter(({ id }) => before === null || BigInt(id) < BigInt(before)).reverse();
          const rows = below.slice(0, limit);
          return { rows, before: below.length > limit ? String(rows.at(-1)?.id) : null };
        };
        let list: EventList = NO_ROWS;
        for (const one of steps) {
          if (one.kind === 'insert') {
            const events = Array.from({ length: one.count }, (_, index) => row(table.length + index));
            table.push(...events);
            list = put(list, events, all, most).list;
          } else if (one.kind === 'update' && table.length > 0) {
            list = put(list, [row(one.of % table.length)], all, most).list;
          } else if (list.before !== null) {
            // Reading back holds more than streaming does; what streams then makes it give way again.
            list = addOlder(list, page(list.before, 3));
          }
        }
        while (list.before !== null) list = addOlder(list, page(list.before, 3));
        expect(new Set(ids(list)).size).toBe(list.rows.length);
        expect(new Set(ids(list))).toEqual(new Set(table.map(({ id }) => id)));
      }),
    );
  });
});
