import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NAME_LENGTH_LIMIT, Names, OTHER, recordOf, UNKNOWN_NAMES_KEPT } from '../../streams/names.js';

describe('Names', () => {
  test('known names come first, `other` after them', () => {
    const names = new Names(['a', 'b']);
    expect([names.index('a'), names.index('b'), names.index(OTHER)]).toEqual([0, 1, 2]);
    expect(names.size).toBe(3);
    expect(names.overflowed).toBe(0);
  });

  test('32 unknown names are kept, the rest is `other` and counted', () => {
    const names = new Names(['a']);
    for (let i = 0; i < 10_000; i++) names.index(`bomb_${i}`);
    expect(names.size).toBe(2 + UNKNOWN_NAMES_KEPT);
    expect(names.size).toBe(names.capacity);
    expect(names.overflowed).toBe(10_000 - UNKNOWN_NAMES_KEPT);
    expect(names.index('bomb_31')).toBe(33);
    expect(names.index('bomb_32')).toBe(names.otherIndex);
  });

  test('a name of a megabyte is `other`', () => {
    const names = new Names([]);
    expect(names.index('x'.repeat(1_000_000))).toBe(names.otherIndex);
    expect(names.find('x'.repeat(1_000_000))).toBe(names.otherIndex);
    expect(names.index('x'.repeat(NAME_LENGTH_LIMIT))).not.toBe(names.otherIndex);
    expect(names.overflowed).toBe(1);
  });

  test('finding registers and counts nothing', () => {
    const names = new Names(['a']);
    expect(names.find('b')).toBe(names.otherIndex);
    expect(names.find('a')).toBe(0);
    expect([names.size, names.overflowed]).toEqual([2, 0]);
  });

  test('an index that was never given out is a mistake', () => {
    expect(() => new Names(['a']).name(2)).toThrow('no name has index 2; valid are 0 to 1');
  });

  test('any strings: index and name are each other’s inverse while there is room', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '', 'a', 'b'));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 120 }), (words) => {
        const names = new Names(['a', 'b']);
        const kept = new Map<string, number>();
        for (const each of words) {
          const index = names.index(each);
          expect(index).toBe(kept.get(each) ?? index);
          if (index !== names.otherIndex) {
            kept.set(each, index);
            expect(names.name(index)).toBe(each);
            expect(names.find(each)).toBe(index);
          }
        }
        expect(names.size).toBeLessThanOrEqual(names.capacity);
        expect(new Set(kept.values()).size).toBe(kept.size);
      }),
    );
  });
});

test('a record has a key __proto__ like any other', () => {
  const record = recordOf([
    ['__proto__', 1],
    ['', 2],
    ['a', 3],
  ]);
  expect(JSON.stringify(record)).toBe('{"__proto__":1,"":2,"a":3}');
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
});
