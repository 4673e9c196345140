import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moved, renderedRows, scrollTo } from '../../dashboards/live/src/panels/feed/window.js';

describe('the rows in the document', () => {
  it('are those in sight and few more', () => {
    const scrolled = fc.record({
      count: fc.nat(10_000),
      top: fc.nat(400_000),
      height: fc.nat(3_000),
      row: fc.integer({ min: 20, max: 80 }),
    });
    fc.assert(
      fc.property(scrolled, ({ count, top, height, row }) => {
        // No box can be scrolled further than its content.
        const at = Math.min(top, Math.max(0, count * row - height));
        const { from, to } = renderedRows({ count, top: at, height, row });
        expect(to - from).toBeLessThanOrEqual(200);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(count);
        expect(from * row).toBeLessThanOrEqual(at);
        expect(to * row).toBeGreaterThanOrEqual(Math.min(at + height, count * row));
      }),
    );
  });

  it('stay bounded whatever a box says of itself', () => {
    expect(renderedRows({ count: 10_000, top: 0, height: 1e9, row: 30 })).toEqual({ from: 0, to: 200 });
    expect(renderedRows({ count: 0, top: 500, height: 300, row: 30 })).toEqual({ from: 0, to: 0 });
  });

  it.each([
    [0, 90, 0],
    [3, 90, 90],
    [5, 90, 90],
    [12, 90, 90],
    [13, 90, 120],
  ])('come into sight with the least scrolling: row %i from %i to %i', (index, top, then) => {
    expect(scrollTo(index, { top, height: 300, row: 30 })).toBe(then);
  });

  it.each([
    ['ArrowDown', 4, 5],
    ['ArrowDown', 9, 9],
    ['ArrowUp', 0, 0],
    ['PageDown', 4, 8],
    ['PageUp', 2, 0],
    ['Home', 5, 0],
    ['End', 5, 9],
    ['Enter', 5, null],
  ])('are walked by %s from %i to %s', (key, at, to) => {
    expect(moved(key, at, 10, 4)).toBe(to);
    expect(moved(key, at, 0, 4)).toBeNull();
  });
});
