/** How a rollup lies in the columns of sync_monitor.rollup. */
import { recordOf } from '../../streams/names.js';
import type { Rollup, Tally } from '../../streams/rollup.js';
import type { CopyRows } from './copy-format.js';
import { type DurationCells, decodeDurations, encodeDurations, packDurations } from './packing.js';
import { decodeCustomers, encodeCustomers } from './packing-customers.js';

/** The columns that hold a rollup, in the order in which `rollupValues` gives and `decodeRollup` takes them. */
export const ROLLUP_COLUMNS = [
  'success',
  'error',
  'failed',
  'warning',
  'skipped',
  'other_statuses',
  'duration_count',
  'duration_sum',
  'duration_min',
  'duration_max',
  'duration_negative',
  'durations',
  'customers',
  'business',
  'id_min',
  'id_max',
] as const;

/** Statuses with a column of their own; the first columns. */
export const STATUS_COLUMNS = ['success', 'error', 'failed', 'warning', 'skipped'] as const;

/** Raw text as PostgreSQL takes and gives it, null for NULL. */
export type RawColumn = string | null;

export function rollupValues(rollup: Rollup): RawColumn[] {
  return [
    ...STATUS_COLUMNS.map((name) => String(rollup.statuses.get(name) ?? 0)),
    othersOf(rollup.statuses),
    String(rollup.durationCount),
    String(rollup.durationSum),
    textOf(rollup.durationMin),
    textOf(rollup.durationMax),
    String(rollup.durationNegative),
    rollup.cells.length === 0 ? null : byteaOf(encodeDurations(rollup.cells, rollup.cellCounts)),
    rollup.customers.length === 0 ? null : byteaOf(encodeCustomers(rollup.customers)),
    businessOf(rollup),
    textOf(rollup.idMin),
    textOf(rollup.idMax),
  ];
}

/** The same columns of a row that is copied. */
export function copyRollup(rollup: Rollup, into: CopyRows): void {
  for (const name of STATUS_COLUMNS) into.int8(rollup.statuses.get(name) ?? 0);
  into.jsonb(othersOf(rollup.statuses));
  into.int8(rollup.durationCount);
  into.int8(rollup.durationSum);
  into.int4(rollup.durationMin);
  into.int4(rollup.durationMax);
  into.int8(rollup.durationNegative);
  into.bytea(rollup.cells.length === 0 ? null : packDurations(rollup.cells, rollup.cellCounts));
  into.bytea(rollup.customers.length === 0 ? null : encodeCustomers(rollup.customers));
  into.jsonb(businessOf(rollup));
  into.int8(rollup.idMin);
  into.int8(rollup.idMax);
}

/**
 * The rollup of a row whose `ROLLUP_COLUMNS` begin at `at`.
 * @throws CodecError
 */
export function decodeRollup(row: readonly RawColumn[], at = 0): Rollup {
  const statuses = new Map<string, number>();
  STATUS_COLUMNS.forEach((name, i) => {
    const count = Number(row[at + i]);
    if (count !== 0) statuses.set(name, count);
  });
  const others = row[at + 5] ?? null;
  if (others !== null) for (const [name, count] of tallyOf(JSON.parse(others))) statuses.set(name, count);
  const durations = row[at + 11] ?? null;
  const { cells, counts } = durations === null ? EMPTY_CELLS : decodeDurations(bytesOf(durations));
  const customers = row[at + 12] ?? null;
  const business: StoredBusiness = JSON.parse(row[at + 13] ?? '{}');
  return {
    statuses,
    durationCount: Number(row[at + 6]),
    durationSum: Number(row[at + 7]),
    durationMin: numberOf(row[at + 8]),
    durationMax: numberOf(row[at + 9]),
    durationNegative: Number(row[at + 10]),
    cells,
    cellCounts: counts,
    customers: customers === null ? NOBODY : decodeCustomers(bytesOf(customers)),
    sources: tallyOf(business.sources),
    methods: tallyOf(business.methods),
    adminMails: business.mails ?? 0,
    idMin: numberOf(row[at + 14]),
    idMax: numberOf(row[at + 15]),
  };
}

const KNOWN: ReadonlySet<string> = new Set(STATUS_COLUMNS);

/** Statuses without a column of their own, as JSON. */
function othersOf(statuses: Tally): string | null {
  const others: [string, number][] = [];
  for (const [name, count] of statuses) if (!KNOWN.has(name)) others.push([name, count]);
  return others.length === 0 ? null : JSON.stringify(recordOf(others));
}

/** As JSON, in the column `business`; what there is nothing of is left out. */
interface StoredBusiness {
  readonly sources?: Readonly<Record<string, number>>;
  readonly methods?: Readonly<Record<string, number>>;
  readonly mails?: number;
}

function businessOf({ sources, methods, adminMails }: Rollup): string | null {
  if (sources.size === 0 && methods.size === 0 && adminMails === 0) return null;
  const business: StoredBusiness = {
    ...(sources.size > 0 && { sources: recordOf([...sources]) }),
    ...(methods.size > 0 && { methods: recordOf([...methods]) }),
    ...(adminMails > 0 && { mails: adminMails }),
  };
  return JSON.stringify(business);
}

function tallyOf(record: Readonly<Record<string, number>> | undefined): Tally {
  return record === undefined ? NOTHING : new Map(Object.entries(record));
}

const NOTHING: Tally = new Map();
const NOBODY = new BigInt64Array(0);
const EMPTY_CELLS: DurationCells = { cells: new Int32Array(0), counts: new Float64Array(0) };

function byteaOf(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

function bytesOf(bytea: string): Buffer {
  return Buffer.from(bytea.slice(2), 'hex');
}

function textOf(value: number | null): string | null {
  return value === null ? null : String(value);
}

function numberOf(text: RawColumn | undefined): number | null {
  return text == null ? null : Number(text);
}
