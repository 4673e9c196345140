import type { BatchTotals, BigId, SyncRow } from '../../streams/event.js';
import type { Raw } from './decoded-query.js';

/** The row that starts at column `at` of a result with the columns of `selectList`. */
export function decodeRow(raw: Raw, at = 0): SyncRow {
  return {
    id: bigId(raw[at] as string), // id is never null
    operationType: shared(raw[at + 1] ?? ''),
    status: shared(raw[at + 2] ?? ''),
    // NULL where the column allows it: in no period, as in SQL.
    createdAt: Number(raw[at + 3] ?? '-Infinity') * 1000,
    customerId: raw[at + 4] == null ? null : bigId(raw[at + 4] as string),
    customerEmail: raw[at + 5] ?? null,
    onecId: raw[at + 6] ?? null,
    correlationId: raw[at + 7] ?? null,
    errorMessage: raw[at + 8] ?? null,
    durationMs: raw[at + 9] == null ? null : Number(raw[at + 9]),
    conflictSource: raw[at + 10] == null ? null : shared(raw[at + 10] as string),
    identificationMethod: raw[at + 11] == null ? null : shared(raw[at + 11] as string),
    emailSent: raw[at + 12] != null,
    batch: raw[at + 13] == null ? null : decodeBatch(raw[at + 13] as string),
  };
}

/** The row of a result with the columns of `selectList` that are counted: who it was about is not among them. */
export function decodeCounted(raw: Raw): SyncRow {
  return {
    id: bigId(raw[0] as string),
    operationType: shared(raw[1] ?? ''),
    status: shared(raw[2] ?? ''),
    createdAt: Number(raw[3] ?? '-Infinity') * 1000,
    customerId: raw[4] == null ? null : bigId(raw[4] as string),
    customerEmail: null,
    onecId: null,
    correlationId: null,
    errorMessage: null,
    durationMs: raw[5] == null ? null : Number(raw[5]),
    conflictSource: raw[6] == null ? null : shared(raw[6] as string),
    identificationMethod: raw[7] == null ? null : shared(raw[7] as string),
    emailSent: raw[8] != null,
    batch: null,
  };
}

const PLACES = 256;
/** By a few characters, the text met last. */
const met = new Array<string>(PLACES).fill('');

/** The same string for texts that mostly are the same: what each row holds of its own has to be collected. */
function shared(text: string): string {
  const { length } = text;
  // The first character of '' is NaN, which becomes 0.
  const place = (length * 31 + text.charCodeAt(0) * 7 + text.charCodeAt(length - 1)) & (PLACES - 1);
  const known = met[place] as string;
  if (known === text) return known;
  met[place] = text;
  return text;
}

/** A number where it is exact, else the digits. */
export function bigId(digits: string): BigId {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}

function decodeBatch(json: string): BatchTotals {
  const [name, total, success, error] = JSON.parse(json) as (string | null)[];
  return { operation_name: name ?? null, total: count(total), success: count(success), error: count(error) };
}

function count(text: string | null | undefined): number | null {
  if (text == null || text.trim() === '') return null; // Number('  ') would be 0
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

/** Equal in everything that is folded or shown. */
export function sameRow(a: SyncRow, b: SyncRow): boolean {
  for (const key of Object.keys(a) as (keyof SyncRow)[]) {
    if (key === 'batch') {
      if (JSON.stringify(a.batch) !== JSON.stringify(b.batch)) return false;
    } else if (!Object.is(a[key], b[key])) return false;
  }
  return true;
}
