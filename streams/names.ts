/**
 * A bounded registry of names that come out of the database: dense indexes for arrays, and an end to growth.
 * A cardinality bomb (ten thousand operation types) ends in one name, `other`, and a count.
 */

export const UNKNOWN_NAMES_KEPT = 32;
/** UTF-16 units; a longer name is not worth keeping under its own (a megabyte of text is somebody's mistake). */
export const NAME_LENGTH_LIMIT = 128;
export const OTHER = 'other';

const HINTS = 256;
const OWN = { enumerable: true, configurable: true, writable: true };

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
  // By a few characters, the index found last for them: comparing beats hashing a string that was made for one row.
  private readonly hints = new Uint8Array(HINTS);

  /** `kept`: how many names beyond the known ones get an index of their own. */
  constructor(known: readonly string[], kept = UNKNOWN_NAMES_KEPT) {
    this.names = [...known, OTHER];
    this.otherIndex = known.length;
    this.capacity = this.names.length + kept;
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
    const hint = hintOf(name);
    const guess = this.hints[hint] as number;
    if (this.names[guess] === name) return guess;
    const known = this.indexes.get(name);
    if (known !== undefined) {
      this.hints[hint] = known;
      return known;
    }
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

  /** The names that were not known from the start, in the order in which they came. */
  unknown(): string[] {
    return this.names.slice(this.otherIndex + 1);
  }
}

/** Where in the hints a name is looked for. */
function hintOf(name: string): number {
  const { length } = name;
  // The first character of '' is NaN, which becomes 0.
  return (length * 31 + name.charCodeAt(0) * 7 + name.charCodeAt(length - 1)) & (HINTS - 1);
}

/** An object with these entries as its own properties. */
export function recordOf<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const record: Record<string, T> = {};
  for (const [name, value] of entries) {
    // Assigning this one would set the prototype.
    if (name === '__proto__') Object.defineProperty(record, name, { value, ...OWN });
    else record[name] = value;
  }
  return record;
}
