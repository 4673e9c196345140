/**
 * How many distinct 64-bit ids there are in many sorted lists of them: customers of a year, by day and type.
 * Open addressing over groups of 64 neighbouring ids, a bit for each: ids out of a sequence lie close together, so that
 * a list mostly stays in the group that it is in, and a slot of 16 bytes is shared by many. Scattered ids have one each.
 */
import { HIGH, LOW, wordsOf } from './int64.js';

const FIRST_SLOTS = 1 << 10;
const FULLEST = 0.7;
/** Words of a slot: the number of the group (low, high), then the bits of its ids. A slot without a bit is free. */
const SLOT = 4;
const GROUP_BITS = 6;

export class IdSet {
  /** Distinct ids added. */
  size = 0;
  private table = new Int32Array(FIRST_SLOTS * SLOT);
  private mask = FIRST_SLOTS - 1;
  private used = 0;

  /** Adds ids; much faster where they ascend. */
  addAll(ids: BigInt64Array): void {
    const words = wordsOf(ids);
    let groupLow = 0;
    let groupHigh = 0;
    let slot = -1;
    for (let i = 0; i < words.length; i += 2) {
      const low = words[i + LOW] as number;
      const high = words[i + HIGH] as number;
      const ofLow = (low >>> GROUP_BITS) | (high << (32 - GROUP_BITS));
      const ofHigh = high >> GROUP_BITS;
      if (slot < 0 || ofLow !== groupLow || ofHigh !== groupHigh) {
        groupLow = ofLow;
        groupHigh = ofHigh;
        slot = this.slotOf(ofLow, ofHigh);
      }
      this.mark(slot, low);
    }
  }

  /** Adds an id, as its words in two's complement. */
  add(low: number, high: number): void {
    const groupLow = (low >>> GROUP_BITS) | (high << (32 - GROUP_BITS));
    this.mark(this.slotOf(groupLow, high >> GROUP_BITS), low);
  }

  /** Begins anew with nothing. */
  clear(): void {
    this.size = 0;
    if (this.used === 0) return;
    // Kept where the next set is likely to need it, because growing costs more than filling it did.
    if (this.mask + 1 > Math.max(FIRST_SLOTS, 8 * this.used)) this.allot(FIRST_SLOTS);
    else this.table.fill(0);
    this.used = 0;
  }

  private mark(slot: number, low: number): void {
    const { table } = this;
    const at = SLOT * slot + 2 + ((low >>> 5) & 1);
    const bits = table[at] as number;
    const bit = 1 << (low & 31);
    if ((bits & bit) !== 0) return;
    table[at] = bits | bit;
    this.size += 1;
  }

  /** The slot of a group, taken where there was none: whoever asks sets a bit in it at once. */
  private slotOf(low: number, high: number): number {
    let slot = this.find(low, high);
    if (!isFree(this.table, slot)) return slot;
    if (this.used >= (this.mask + 1) * FULLEST) {
      this.grow();
      slot = this.find(low, high);
    }
    this.used += 1;
    this.table[SLOT * slot] = low;
    this.table[SLOT * slot + 1] = high;
    return slot;
  }

  /** The slot of a group, or the free one where it belongs. */
  private find(low: number, high: number): number {
    const { table, mask } = this;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (!(table[SLOT * slot] === low && table[SLOT * slot + 1] === high) && !isFree(table, slot)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(): void {
    const { table } = this;
    this.allot(2 * (this.mask + 1));
    for (let at = 0; at < table.length; at += SLOT) {
      if (isFree(table, at / SLOT)) continue;
      const slot = this.find(table[at] as number, table[at + 1] as number);
      for (let word = 0; word < SLOT; word++) this.table[SLOT * slot + word] = table[at + word] as number;
    }
  }

  private allot(slots: number): void {
    this.table = new Int32Array(slots * SLOT);
    this.mask = slots - 1;
  }
}

function isFree(table: Int32Array, slot: number): boolean {
  return ((table[SLOT * slot + 2] as number) | (table[SLOT * slot + 3] as number)) === 0;
}
