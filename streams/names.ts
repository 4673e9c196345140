/**
 * A bounded registry of names that come out of the database: dense indexes for arrays, and an end to growth.
 * A cardinality bomb (ten thousand operation types) ends in one name, `other`, and a count.
 */

export const UNKNOWN_NAMES_KEPT = 32;
/** UTF-16 units; a longer name is not worth keeping under its own (a megabyte of text is somebody's mistake). */
export const NAME_LENGTH_LIMIT = 128;
export const OTHER = 'other';

export class Names {
  /** Every index is below this, whatever names will come. */
  readonly capacity: number;
  /** Index of `other`; the known names lie below it, the unknown ones above. */
  readonly otherIndex: number;
  /** Times `index` had to answer `other` for a name that is not `other`. */
  overflowed = 0;
  // A Map, not an object: `__proto__` and `constructor` are names like any other.
  private readonly indexes = new Map<string, number>();
  private readonly names: string[];

  constructor(known: readonly string[]) {
    this.names = [...known, OTHER];
    this.otherIndex = known.length;
    this.capacity = this.names.length + UNKNOWN_NAMES_KEPT;
    this.names.forEach((name, index) => {
      this.indexes.set(name, index);
    });
  }

  /** Indexes from 0 to here (exclusive) have a name. */
  get size(): number {
    return this.names.length;
  }

  /** The index of a name, which is registered where there is room, else that of `other` (and counted). */
  index(name: string): number {
    // Before the look-up: hashing a megabyte for each row would be a denial of service.
    if (name.length > NAME_LENGTH_LIMIT) {
      this.overflowed += 1;
      return this.otherIndex;
    }
    const known = this.indexes.get(name);
    if (known !== undefined) return known;
    if (this.names.length >= this.capacity) {
      this.overflowed += 1;
      return this.otherIndex;
    }
    const index = this.names.length;
    this.names.push(name);
    this.indexes.set(name, index);
    return index;
  }

  /** As `index`, but registers and counts nothing: for a row that was seen before. */
  find(name: string): number {
    if (name.length > NAME_LENGTH_LIMIT) return this.otherIndex;
    return this.indexes.get(name) ?? this.otherIndex;
  }

  /** @throws RangeError for an index that was never given out. */
  name(index: number): string {
    const name = this.names[index];
    if (name === undefined)
      throw new RangeError(`no name has index ${index}; valid are 0 to ${this.size - 1}`);
    return name;
  }
}

/** An object with these entries as its own properties; unlike an assignment, also for a key `__proto__`. */
export function recordOf<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries(entries);
}
