import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Customers } from '../../streams/customers.js';
import type { BigId } from '../../streams/event.js';
import { Facts } from '../../streams/facts.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { row } from './rows.js';

const BASE = 1_750_000_000;
const WINDOWS = [5, 20, 60];

function factsOf(customer: BigId | null, second: number): Facts {
  const facts = new Facts();
  facts.push(row(1, { customerId: customer, createdAt: second * 1000 + 999 }), 0, 0, new Vocabulary());
  return facts;
}

const id: fc.Arbitrary<BigId> = fc.oneof(
  fc.integer({ min: -3, max: 30 }),
  // Equal in their low words.
  fc.integer({ min: -3, max: 3 }).map((high) => high * 2 ** 32 + 7),
  fc.constantFrom<BigId>('9223372036854775807', '-9223372036854775808', Number.MAX_SAFE_INTEGER, 7, -1),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }).map(String),
  fc.constantFrom('9007199254740993', '9007199254740992', '9007199254740999', '-9007199254740993'),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('see' as const), id, ago: fc.integer({ min: 0, max: 61 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('seeAll' as const),
      ids: fc.array(id, { maxLength: 20 }),
      ago: fc.integer({ min: 0, max: 61 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('forget' as const),
      ago: fc.integer({ min: -5, max: 70 }),
      seconds: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('go' as const),
      by: fc.constantFrom(0, 1, 1, 2, 7, 30, 61, 1000),
    }),
  },
);

describe('Customers', () => {
  test('distinct customers of nested windows equal a set’s, for every bigint', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const customers = new Customers({ windowSeconds: WINDOWS, limit: 1000 });
        const newest = new Map<string, number>();
        let end = BASE;
        const go = (): void =>
          customers.advance(
            end,
            WINDOWS.map((length) => end - length + (end % 3 === 0 ? 1 : 0)),
          );
        go();
        for (const each of steps) {
          if (each.do === 'go') {
            end += each.by;
            go();
          } else if (each.do === 'forget') {
            const from = end - each.ago;
            const to = from + each.seconds;
            customers.forget(from, to);
            for (const [id, second] of newest) if (second >= from && second < to) newest.delete(id);
          } else {
            const second = end - 1 - each.ago;
            if (second < end - 60 + (end % 3 === 0 ? 1 : 0)) continue;
            const ids = each.do === 'see' ? [each.id] : each.ids;
            for (const id of ids) newest.set(String(id), Math.max(second, newest.get(String(id)) ?? 0));
            if (each.do === 'see') customers.record(factsOf(each.id, second), 0, 1);
            else customers.recordAll(BigInt64Array.from(ids.map(BigInt)), second);
          }
          WINDOWS.forEach((length, i) => {
            const start = end - length + (end % 3 === 0 ? 1 : 0);
            const inside = [...newest.values()].filter((second) => second >= start && second < end);
            expect(customers.count(i)).toBe(inside.length);
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a hundred thousand customers, with and without high words, while the first ones leave', () => {
    const customers = new Customers({ windowSeconds: WINDOWS, limit: 1_000_000 });
    customers.advance(
      BASE,
      WINDOWS.map((length) => BASE - length),
    );
    const facts = new Facts();
    const words = new Vocabulary();
    const all = 100_000;
    for (let i = 0; i < all; i++) {
      const customerId = i % 2 === 0 ? i : i * 2 ** 33;
      facts.push(row(i, { customerId, createdAt: (BASE - 60 + (i % 60)) * 1000 }), 0, 0, words);
      if (facts.full || i === all - 1) {
        customers.record(facts, 0, facts.size);
        facts.clear();
      }
    }
    const inLast = (seconds: number): number =>
      Array.from({ length: all }, (_, i) => i % 60).filter((second) => second >= 60 - seconds).length;
    expect([customers.count(0), customers.count(1), customers.count(2)]).toEqual([
      inLast(5),
      inLast(20),
      all,
    ]);
    customers.advance(
      BASE + 30,
      WINDOWS.map((length) => BASE + 30 - length),
    );
    expect([customers.count(0), customers.count(1), customers.count(2)]).toEqual([0, 0, inLast(30)]);
  });

  test('forgotten customers leave the search for others as it was, and room for new ones', () => {
    const customers = new Customers({ windowSeconds: WINDOWS, limit: 10_000 });
    customers.advance(
      BASE,
      WINDOWS.map((length) => BASE - length),
    );
    // As many as a table of 4096 takes: many lie away from where they belong.
    const ids = BigInt64Array.from({ length: 2800 }, (_, i) => BigInt(i) * 2n ** 31n);
    const see = (from: number, to: number, ago: number): void =>
      customers.recordAll(ids.subarray(from, to), BASE - ago);
    see(0, 1400, 50);
    see(1400, 2800, 10);
    customers.forget(BASE - 55, BASE - 45);
    expect(WINDOWS.map((_, i) => customers.count(i))).toEqual([0, 1400, 1400]);
    // Those that stay first: forgotten ones would have the table made anew.
    see(1400, 2800, 3);
    expect(WINDOWS.map((_, i) => customers.count(i))).toEqual([1400, 1400, 1400]);
    see(700, 1400, 3);
    expect(WINDOWS.map((_, i) => customers.count(i))).toEqual([2100, 2100, 2100]);
    customers.forget(BASE - 60, BASE);
    expect(WINDOWS.map((_, i) => customers.count(i))).toEqual([0, 0, 0]);
  });

  test('beyond the limit customers are counted as dropped, and there is room again when others have left', () => {
    const customers = new Customers({ windowSeconds: WINDOWS, limit: 2000 });
    customers.advance(
      BASE,
      WINDOWS.map((length) => BASE - length),
    );
    for (let i = 0; i < 10_000; i++) customers.record(factsOf(i, BASE - 1), 0, 1);
    const kept = customers.count(2);
    expect(kept).toBeGreaterThanOrEqual(2000);
    expect(kept).toBeLessThan(3000);
    expect(customers.dropped).toBe(10_000 - kept);
    customers.advance(
      BASE + 100,
      WINDOWS.map((length) => BASE + 100 - length),
    );
    for (let i = 0; i < 1000; i++) customers.record(factsOf(20_000 + i, BASE + 99), 0, 1);
    expect([customers.count(2), customers.dropped]).toEqual([1000, 10_000 - kept]);
    for (let i = 0; i < 5000; i++) customers.record(factsOf(30_000 + i, BASE + 99), 0, 1);
    const { dropped } = customers;
    expect(dropped).toBeGreaterThan(10_000 - kept);
    customers.forget(BASE + 99, BASE + 100);
    customers.record(factsOf(1, BASE + 99), 0, 1);
    expect([customers.count(2), customers.dropped]).toEqual([1, dropped]);
  });
});

test('an id that is no bigint is counted apart', () => {
  const facts = new Facts();
  const words = new Vocabulary();
  for (const customerId of ['', 'abc', '9223372036854775808', '1e5', 1.5, '99999999999999999999999']) {
    facts.push(row(1, { customerId }), 0, 0, words);
  }
  expect(facts.unreadable).toBe(6);
  expect(facts.hasCustomer.slice(0, 6)).toEqual(new Uint8Array(6));
});
