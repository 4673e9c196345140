/** Rows for the tests of streams/. */
import type { Batch, Completeness, SyncRow, Tick } from '../../streams/event.js';

export const NOON = Date.UTC(2025, 5, 15, 12, 0, 0);
export const COMPLETE: Completeness = { state: 'complete', ratio: 1, reasons: [] };

export function row(id: SyncRow['id'], fields: Partial<SyncRow> = {}): SyncRow {
  return {
    id,
    operationType: 'sync_changes',
    status: 'success',
    createdAt: NOON,
    customerId: null,
    customerEmail: null,
    onecId: null,
    correlationId: null,
    errorMessage: null,
    durationMs: null,
    conflictSource: null,
    identificationMethod: null,
    emailSent: false,
    batch: null,
    ...fields,
  };
}

export function batch(now: number, fields: Partial<Batch> = {}): Batch {
  return { origin: 'live', rows: [], updates: [], removals: [], now, ...fields };
}

export function tick(now: number): Tick {
  return { now, completeness: COMPLETE, lagMs: 5 };
}
