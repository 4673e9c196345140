/** What a refolded minute means for the live windows: which spans of theirs are to be read again. */
import type { RefoldSpan } from '../../streams/checkpoint.js';
import type { BigId } from '../../streams/event.js';
import { ceilTo, floorTo, type Known } from './audit-known.js';
import { ms, timestamp } from './checkpoint.js';
import { MINUTE_MS } from './cover.js';
import type { Db } from './db.js';
import { decodeCustomers } from './packing.js';
import type { RollupRow } from './rollup-rows.js';

/** The coarsest bucket of the windows. */
const BUCKET_MS = 5 * MINUTE_MS;
/** How far the windows reach back. */
const WINDOWS_MS = 25 * 60 * MINUTE_MS;
/** Newer buckets may hold rows that are not flushed yet, with higher ids than history knows. */
const FLUSHED_AFTER_MS = 120 * MINUTE_MS;
/** Buckets that are read as one span. */
const BUCKETS_A_SPAN = 12;

/** One bucket of the windows. */
export interface WindowChange {
  /** ms. */
  readonly bucket: number;
  readonly idMin: number | null;
  readonly idMax: number | null;
  /** Who had succeeded in it and has not any more. */
  readonly lost: readonly bigint[];
}

type Customers = ReadonlyMap<number, ReadonlySet<bigint>>;

/** Customers by bucket in the minutes that are about to be made anew, as far as the windows reach. */
export async function customersOf(
  tx: Db,
  id: number,
  starts: readonly number[],
  known: Known,
): Promise<Customers> {
  const recent = starts.filter((start) => start >= windowsFrom(known));
  const found = new Map<number, Set<bigint>>();
  if (recent.length === 0) return found;
  const rows = await tx.query(
    `SELECT ${ms('start')}, customers FROM sync_monitor.rollup
     WHERE checkpoint_id = $1 AND level = 0 AND start = ANY ($2::timestamptz[]) AND customers IS NOT NULL`,
    [id, recent.map(timestamp)],
  );
  for (const [start, customers] of rows)
    addAll(found, Number(start), decodeCustomers(Buffer.from((customers ?? '').slice(2), 'hex')));
  return found;
}

/** The buckets that hold minutes made anew. */
export async function changesOfWindows(
  tx: Db,
  id: number,
  starts: readonly number[],
  what: { readonly before: Customers; readonly after: readonly RollupRow[]; readonly known: Known },
): Promise<WindowChange[]> {
  const { before, known } = what;
  const buckets = new Set<number>();
  for (const start of starts) if (start >= windowsFrom(known)) buckets.add(floorTo(start, BUCKET_MS));
  if (buckets.size === 0) return [];
  const after = new Map<number, Set<bigint>>();
  for (const { start, rollup } of what.after) addAll(after, start, rollup.customers);
  const ids = await idsOf(tx, id, [...buckets]);
  return [...buckets].map((bucket) => {
    const [idMin, idMax] = ids.get(bucket) ?? [null, null];
    const still = after.get(bucket);
    const lost = [...(before.get(bucket) ?? [])].filter((customer) => !still?.has(customer));
    const flushed = bucket + BUCKET_MS < known.now - FLUSHED_AFTER_MS;
    return { bucket, idMin, idMax: flushed ? idMax : null, lost };
  });
}

function windowsFrom({ now }: Known): number {
  return ceilTo(now - WINDOWS_MS, BUCKET_MS);
}

function addAll(into: Map<number, Set<bigint>>, start: number, customers: Iterable<bigint>): void {
  const bucket = floorTo(start, BUCKET_MS);
  const set = into.get(bucket) ?? new Set();
  into.set(bucket, set);
  for (const customer of customers) set.add(customer);
}

async function idsOf(
  tx: Db,
  id: number,
  buckets: readonly number[],
): Promise<Map<number, readonly [number | null, number | null]>> {
  const rows = await tx.query(
    `SELECT ${ms('bucket')}, min(id_min), max(id_max) FROM unnest($2::timestamptz[]) bucket
       JOIN sync_monitor.rollup r ON r.start >= bucket AND r.start < bucket + interval '${BUCKET_MS} milliseconds'
     WHERE r.checkpoint_id = $1 AND r.level = 0 GROUP BY 1`,
    [id, buckets.map(timestamp)],
  );
  const number = (text: string | null | undefined) => (text == null ? null : Number(text));
  return new Map(rows.map(([bucket, min, max]) => [Number(bucket), [number(min), number(max)]]));
}

/** Buckets that are still to be read again; kept until that is done, at most as many as the windows have. */
export class WindowChanges {
  readonly #changes = new Map<number, { idMin: number | null; idMax: number | null; lost: Set<bigint> }>();

  get size(): number {
    return this.#changes.size;
  }

  add(changes: readonly WindowChange[]): void {
    for (const { bucket, idMin, idMax, lost } of changes) {
      const before = this.#changes.get(bucket);
      // The ids are those of now; who was lost before is lost all the same, or will be met again.
      this.#changes.set(bucket, { idMin, idMax, lost: new Set([...(before?.lost ?? []), ...lost]) });
    }
  }

  /** In order of time, neighbours joined; without what has left the windows by `now` (ms). */
  spans(now: number): RefoldSpan[] {
    for (const bucket of this.#changes.keys())
      if (bucket < ceilTo(now - WINDOWS_MS, BUCKET_MS)) this.#changes.delete(bucket);
    const groups: number[][] = [];
    for (const bucket of [...this.#changes.keys()].sort((a, b) => a - b)) {
      const group = groups.at(-1);
      if (group && group.length < BUCKETS_A_SPAN && group.at(-1) === bucket - BUCKET_MS) group.push(bucket);
      else groups.push([bucket]);
    }
    return groups.map((group) => this.#span(group));
  }

  clear(): void {
    this.#changes.clear();
  }

  #span(group: readonly number[]): RefoldSpan {
    const [from = 0] = group;
    const lost = new Set<bigint>();
    let [idMin, idMax]: (number | null)[] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const bucket of group) {
      const change = this.#changes.get(bucket);
      for (const customer of change?.lost ?? []) lost.add(customer);
      idMin = least(idMin, change?.idMin);
      idMax = change?.idMax == null || idMax == null ? null : Math.max(idMax, change.idMax);
    }
    return {
      from,
      to: from + group.length * BUCKET_MS,
      idMin: idMin ?? null,
      idMax: idMax ?? null,
      lostCustomers: Array.from(lost, bigId),
    };
  }
}

function least(a: number | null | undefined, b: number | null | undefined): number | null {
  return a == null || b == null ? null : Math.min(a, b);
}

function bigId(id: bigint): BigId {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : String(id);
}
