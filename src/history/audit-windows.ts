/** What a refolded minute means for the live windows: which spans of theirs are to be read again. */
import type { RefoldSpan } from '../../streams/checkpoint.js';
import type { BigId } from '../../streams/event.js';
import { ceilTo, floorTo, type Known } from './audit-known.js';
import { ms, timestamp } from './checkpoint.js';
import { MINUTE_MS } from './cover.js';
import type { Db } from './db.js';
import { decodeCustomers } from './packing-customers.js';
import type { RollupRow } from './rollup-rows.js';

/** The coarsest bucket of the windows. */
const BUCKET_MS = 5 * MINUTE_MS;
/** How far the windows reach back. */
const WINDOWS_MS = 25 * 60 * MINUTE_MS;
/** Newer buckets may hold rows that are not flushed yet, with higher ids than history knows. */
const FLUSHED_AFTER_MS = 120 * MINUTE_MS;

/** One bucket of the windows. Ids are those between which its rows are; null where it has none. */
export interface WindowChange {
  /** ms. */
  readonly bucket: number;
  readonly idMin: number | null;
  readonly idMax: number | null;
  /** Who had succeeded in it and has not any more. */
  readonly lost: readonly bigint[];
}

type Ids = ReadonlyMap<number, Pick<WindowChange, 'idMin' | 'idMax'>>;

/** What history has of the buckets in which minutes are about to be made anew, as far as the windows reach. */
export interface WindowsBefore {
  readonly buckets: readonly number[];
  readonly customers: ReadonlyMap<number, ReadonlySet<bigint>>;
  readonly ids: Ids;
}

export async function windowsBefore(
  tx: Db,
  id: number,
  starts: readonly number[],
  known: Known,
): Promise<WindowsBefore> {
  const recent = starts.filter((start) => start >= ceilTo(known.now - WINDOWS_MS, BUCKET_MS));
  const buckets = [...new Set(recent.map((start) => floorTo(start, BUCKET_MS)))];
  const customers = new Map<number, Set<bigint>>();
  if (buckets.length === 0) return { buckets, customers, ids: new Map() };
  const rows = await tx.query(
    `SELECT ${ms('start')}, customers FROM sync_monitor.rollup
     WHERE checkpoint_id = $1 AND level = 0 AND start = ANY ($2::timestamptz[]) AND customers IS NOT NULL`,
    [id, recent.map(timestamp)],
  );
  for (const [start, packed] of rows)
    addAll(customers, Number(start), decodeCustomers(Buffer.from((packed ?? '').slice(2), 'hex')));
  return { buckets, customers, ids: await idsOf(tx, id, buckets) };
}

/** What has become of them, now that the minutes are made anew. */
export async function changesOfWindows(
  tx: Db,
  id: number,
  before: WindowsBefore,
  after: readonly RollupRow[],
  known: Known,
): Promise<WindowChange[]> {
  if (before.buckets.length === 0) return [];
  const customers = new Map<number, Set<bigint>>();
  for (const { start, rollup } of after) addAll(customers, start, rollup.customers);
  const ids = await idsOf(tx, id, before.buckets);
  return before.buckets.map((bucket) => {
    const [was, is] = [before.ids.get(bucket), ids.get(bucket)];
    const still = customers.get(bucket);
    const lost = [...(before.customers.get(bucket) ?? [])].filter((customer) => !still?.has(customer));
    const idMin = extreme(Math.min, was?.idMin, is?.idMin);
    const idMax = extreme(Math.max, was?.idMax, is?.idMax);
    if (bucket + BUCKET_MS < known.now - FLUSHED_AFTER_MS) return { bucket, idMin, idMax, lost };
    return { bucket, idMin: idMin ?? known.high + 1, idMax: Number.MAX_SAFE_INTEGER, lost };
  });
}

/** Of what is known. */
function extreme(
  of: (a: number, b: number) => number,
  a: number | null | undefined,
  b: number | null | undefined,
): number | null {
  if (a == null || b == null) return a ?? b ?? null;
  return of(a, b);
}

function addAll(into: Map<number, Set<bigint>>, start: number, customers: Iterable<bigint>): void {
  const bucket = floorTo(start, BUCKET_MS);
  const set = into.get(bucket) ?? new Set();
  into.set(bucket, set);
  for (const customer of customers) set.add(customer);
}

async function idsOf(tx: Db, id: number, buckets: readonly number[]): Promise<Ids> {
  const rows = await tx.query(
    `SELECT ${ms('bucket')}, min(id_min), max(id_max) FROM unnest($2::timestamptz[]) bucket
     CROSS JOIN LATERAL (SELECT r.id_min, r.id_max FROM sync_monitor.rollup r WHERE r.checkpoint_id = $1 AND r.level = 0
       AND r.start >= bucket AND r.start < bucket + interval '${BUCKET_MS} milliseconds' OFFSET 0) r GROUP BY 1`,
    [id, buckets.map(timestamp)],
  );
  const number = (text: string | null | undefined) => (text == null ? null : Number(text));
  return new Map(
    rows.map(([bucket, min, max]) => [Number(bucket), { idMin: number(min), idMax: number(max) }]),
  );
}

/** Buckets that are still to be read again; kept until that is done, at most as many as the windows have. */
export class WindowChanges {
  readonly #changes = new Map<number, WindowChange>();

  add(changes: readonly WindowChange[]): void {
    for (const change of changes) {
      const { bucket } = change;
      // The ids are those of now; who was lost before is lost all the same, or will be met again.
      const lost = [...new Set([...(this.#changes.get(bucket)?.lost ?? []), ...change.lost])];
      this.#changes.set(bucket, { ...change, lost });
    }
  }

  /** In order of time; without what has left the windows by `now` (ms). */
  spans(now: number): RefoldSpan[] {
    const from = ceilTo(now - WINDOWS_MS, BUCKET_MS);
    for (const bucket of this.#changes.keys()) if (bucket < from) this.#changes.delete(bucket);
    return [...this.#changes.values()]
      .sort((a, b) => a.bucket - b.bucket)
      .map(({ bucket, idMin, idMax, lost }) => ({
        from: bucket,
        to: bucket + BUCKET_MS,
        idMin,
        idMax,
        lostCustomers: lost.map(bigId),
      }));
  }

  clear(): void {
    this.#changes.clear();
  }
}

function bigId(id: bigint): BigId {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : String(id);
}
