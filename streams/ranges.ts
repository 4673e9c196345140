/** Inclusive, `from <= to`. */
export type Range = readonly [from: number, to: number];

/**
 * A set of integer ids kept as sorted, disjoint, inclusive ranges: a hole of a million ids inside an open import
 * costs two numbers.
 */
export class RangeSet {
  #from: number[] = [];
  #to: number[] = [];
  #ids = 0;

  static of(ranges: Iterable<Range>): RangeSet {
    const set = new RangeSet();
    for (const [from, to] of ranges) set.add(from, to);
    return set;
  }

  /** Number of ranges. */
  get size(): number {
    return this.#from.length;
  }

  /** Number of ids. */
  get ids(): number {
    return this.#ids;
  }

  /** The smallest id, undefined when empty. */
  get first(): number | undefined {
    return this.#from[0];
  }

  *[Symbol.iterator](): Generator<Range> {
    for (let i = 0; i < this.#from.length; i++) yield [this.#from[i] as number, this.#to[i] as number];
  }

  has(id: number): boolean {
    const i = this.#at(id);
    return i >= 0 && id <= (this.#to[i] as number);
  }

  /** Adds `from..to`, joining what touches. Appending at the end, the usual case, is O(1). */
  add(from: number, to: number): void {
    if (to < from) return;
    const last = this.#from.length - 1;
    if (last < 0 || from > (this.#to[last] as number) + 1) {
      this.#from.push(from);
      this.#to.push(to);
      this.#ids += to - from + 1;
      return;
    }
    // The first range that touches or follows `from`, and the last one that touches `to`.
    let lo = this.#at(from);
    if (lo < 0 || (this.#to[lo] as number) + 1 < from) lo++;
    const hi = this.#at(to + 1);
    if (hi < lo) {
      this.#from.splice(lo, 0, from);
      this.#to.splice(lo, 0, to);
      this.#ids += to - from + 1;
      return;
    }
    const start = Math.min(from, this.#from[lo] as number);
    const end = Math.max(to, this.#to[hi] as number);
    for (let i = lo; i <= hi; i++) this.#ids -= (this.#to[i] as number) - (this.#from[i] as number) + 1;
    this.#from.splice(lo, hi - lo + 1, start);
    this.#to.splice(lo, hi - lo + 1, end);
    this.#ids += end - start + 1;
  }

  /** Takes the given ids (any order) out. One pass, whatever their number. */
  deleteAll(ids: readonly number[]): void {
    if (ids.length === 0 || this.#from.length === 0) return;
    const sorted = ids.toSorted((a, b) => a - b);
    const from: number[] = [];
    const to: number[] = [];
    let k = 0;
    for (let i = 0; i < this.#from.length; i++) {
      let start = this.#from[i] as number;
      const end = this.#to[i] as number;
      while (k < sorted.length && (sorted[k] as number) < start) k++;
      while (k < sorted.length && (sorted[k] as number) <= end) {
        const id = sorted[k++] as number;
        if (id < start) continue; // the same id twice
        if (id > start) {
          from.push(start);
          to.push(id - 1);
        }
        start = id + 1;
        this.#ids--;
      }
      if (start <= end) {
        from.push(start);
        to.push(end);
      }
    }
    this.#from = from;
    this.#to = to;
  }

  /** Takes all ids <= `id` out. */
  deleteUpTo(id: number): void {
    let n = 0;
    while (n < this.#from.length && (this.#to[n] as number) <= id) {
      this.#ids -= (this.#to[n] as number) - (this.#from[n] as number) + 1;
      n++;
    }
    if (n > 0) {
      this.#from.splice(0, n);
      this.#to.splice(0, n);
    }
    const start = this.#from[0];
    if (start !== undefined && start <= id) {
      this.#ids -= id - start + 1;
      this.#from[0] = id + 1;
    }
  }

  /** The ids of `from..to` that are not in the set, as ranges. */
  *gaps(from: number, to: number): Generator<Range> {
    let next = from;
    let i = Math.max(0, this.#at(from));
    for (; i < this.#from.length && next <= to; i++) {
      const start = this.#from[i] as number;
      const end = this.#to[i] as number;
      if (end < next) continue;
      if (start > to) break;
      if (start > next) yield [next, start - 1];
      next = end + 1;
    }
    if (next <= to) yield [next, to];
  }

  /** Index of the last range that starts at or before `id`, -1 where there is none. */
  #at(id: number): number {
    let lo = 0;
    let hi = this.#from.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if ((this.#from[mid] as number) <= id) lo = mid + 1;
      else hi = mid;
    }
    return lo - 1;
  }
}
