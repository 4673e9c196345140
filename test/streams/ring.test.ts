import { describe, expect, test } from 'vitest';
import { Ring } from '../../streams/ring.js';

class Count {
  n = 0;
  settled = 0;
  settle(): void {
    this.settled += 1;
  }
}

const HOUR = 3_600_000;

/** A ring of ten steps of one second, and its picture: a digit for each step, a dot where nothing is. */
function ringOfTen() {
  const ring = new Ring<Count>({ stepMs: 1000, size: 10, empty: () => new Count() });
  const left: string[] = [];
  return {
    ring,
    left,
    to: (end: number): void =>
      ring.advance(end - 10_000, end, (bucket, time) => left.push(`${time / 1000}:${bucket.n}`)),
    count: (time: number): void => {
      const bucket = ring.locate(time);
      if (bucket !== null) bucket.n += 1;
    },
    draw: (end: number): string =>
      Array.from({ length: 10 }, (_, i) => ring.peek(end - 10_000 + i * 1000)?.n ?? '.').join(''),
  };
}

describe('Ring', () => {
  test('idle for twelve hours, drawn after each step', () => {
    const { ring, left, to, count, draw } = ringOfTen();
    const start = 1_000_000_000_000;
    to(start);
    count(start - 1);
    count(start - 1000);
    count(start - 5000);
    count(start - 10_000);
    const pictures = [draw(start)];
    for (let second = 1; second <= 12; second++) {
      to(start + second * 1000);
      pictures.push(draw(start + second * 1000));
    }
    expect(pictures).toEqual([
      '1....1...2',
      '....1...2.',
      '...1...2..',
      '..1...2...',
      '.1...2....',
      '1...2.....',
      '...2......',
      '..2.......',
      '.2........',
      '2.........',
      '..........',
      '..........',
      '..........',
    ]);
    for (let second = 13; second <= 12 * 3600; second++) {
      to(start + second * 1000);
      const picture = draw(start + second * 1000);
      if (picture !== '..........') throw new Error(`after ${second} s: ${picture}`);
    }
    const end = start + 12 * HOUR;
    count(end - 1);
    expect(draw(end)).toBe('.........1');
    expect(left).toEqual([`${start / 1000 - 10}:1`, `${start / 1000 - 5}:1`, `${start / 1000 - 1}:2`]);
    expect(ring.locate(end)).toBeNull();
  });

  test('twelve hours in one go are the same as second by second', () => {
    const { left, to, count, draw } = ringOfTen();
    to(100_000);
    for (const time of [90_000, 95_500, 99_999]) count(time);
    to(100_000 + 12 * HOUR);
    expect(draw(100_000 + 12 * HOUR)).toBe('..........');
    expect(left).toEqual(['90:1', '95:1', '99:1']);
  });

  test('times outside are nobody’s: too old, too new, infinite, not a number', () => {
    const { ring, to } = ringOfTen();
    to(100_000);
    for (const time of [89_999.999, 100_000, Infinity, -Infinity, Number.NaN]) {
      expect(ring.locate(time)).toBeNull();
      expect(ring.peek(time)).toBeNull();
    }
    expect(ring.locate(90_000)).not.toBeNull();
    expect(ring.locate(99_999.999)).not.toBeNull();
  });

  test('before the epoch it works the same', () => {
    const { ring, to, count, draw } = ringOfTen();
    to(-5000);
    count(-15_000);
    count(-5001);
    expect(draw(-5000)).toBe('1........1');
    expect(ring.locate(-15_001)).toBeNull();
  });

  test('what is held may end within a step; the rest of that step is not this ring’s', () => {
    const ring = new Ring<Count>({ stepMs: 1000, size: 10, empty: () => new Count() });
    ring.advance(90_000, 99_500, () => {});
    const last = ring.locate(99_400);
    expect([ring.holds(99_499), ring.holds(99_500)]).toEqual([true, false]);
    expect(ring.locate(99_600)).toBeNull();
    ring.advance(91_000, 100_500, () => {});
    expect(ring.locate(99_600)).toBe(last);
  });

  test('the buckets between two times come oldest first, empty steps left out', () => {
    const { ring, to, count } = ringOfTen();
    to(100_000);
    for (const time of [91_000, 97_000, 97_500, 99_000]) count(time);
    expect([...ring.between(91_000, 99_000)].map(({ n }) => n)).toEqual([1, 2]);
    expect([...ring.between(-Infinity, Infinity)].map(({ n }) => n)).toEqual([1, 2, 1]);
  });

  test('a bucket is told when records go elsewhere', () => {
    const { ring, to } = ringOfTen();
    to(100_000);
    const first = ring.locate(95_000);
    ring.locate(95_999);
    expect(first?.settled).toBe(0);
    ring.locate(96_000);
    expect(first?.settled).toBe(1);
  });

  test('a bucket can be replaced by one computed elsewhere', () => {
    const { ring, to, count, draw } = ringOfTen();
    to(100_000);
    count(95_000);
    const other = new Count();
    other.n = 7;
    expect(ring.replace(95_200, other)?.n).toBe(1);
    expect(draw(100_000)).toBe('.....7....');
    expect(ring.locate(95_000)).toBe(other);
    expect(ring.replace(200_000, other)).toBeNull();
  });

  test('it neither goes back nor holds more than it has room for, nor begins within a step', () => {
    const { ring, to } = ringOfTen();
    to(100_000);
    expect(() => ring.advance(89_000, 99_000, () => {})).toThrow('cannot go on to 89000 - 99000');
    expect(() => ring.advance(91_000, 101_001, () => {})).toThrow(RangeError);
    expect(() => ring.advance(90_500, 100_000, () => {})).toThrow(RangeError);
  });
});
