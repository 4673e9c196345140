import type { Completeness } from '../../streams/event.js';
import type { SourceState } from '../../streams/source-state.js';
import type { Bells } from './bells.js';
import type { Keeper } from './keeper.js';
import type { Listener } from './listener.js';
import type { Reader } from './reader.js';

/** What the loop notes about itself. Monotonic ms where not said otherwise. */
export interface Described {
  role: SourceState['role'];
  connected: boolean;
  /** This host's clock. */
  connectedSince: number | null;
  /** Why nothing can be read, while `connected` is false. */
  lostReason: string;
  armedAt: number;
  bellReason: string;
  polls: number;
  /** End of the last cycle that left nothing to read. */
  upToDateAt: number | undefined;
  scanning: boolean;
  behind: boolean;
  resets: number;
  lastResetReason: string | null;
}

export interface Parts {
  readonly configured: SourceState['bell']['configured'];
  readonly now: number;
  readonly databaseNow: number;
  readonly bells: Bells;
  readonly keeper: Keeper;
  readonly listener: Listener;
  readonly reader: Reader;
  readonly warnings: readonly string[];
}

/** A poll that takes longer than this says that we do not know how far behind we are. ms. */
const SILENT_MS = 3_000;
/** A backlog shorter than this is not worth a word. ms. */
const BEHIND_MS = 1_000;

/** The source's state, how complete its numbers are and how late, all of one moment. */
export function describeState(seen: Described, parts: Parts) {
  const { now, reader } = parts;
  const cursor = reader.cursor;
  const bell =
    seen.role === 'standby' && parts.bells.setting !== 'off'
      ? ({ mode: 'disarmed', reason: 'another monitor follows this table' } as const)
      : parts.bells.mode(now, parts.keeper.armed, parts.listener.proven, seen.bellReason);
  const since = seen.upToDateAt === undefined ? null : now - seen.upToDateAt;
  const lagMs = lag();
  const openSince = cursor?.openSince ?? reader.lateSince;
  const state: SourceState = {
    role: seen.role,
    connected: seen.connected,
    connectedSince: seen.connectedSince,
    bell: { configured: parts.configured, mode: bell.mode, reason: bell.reason, since: seen.armedAt },
    listener: {
      proven: parts.listener.proven,
      restarts: parts.listener.restarts,
      provenAt: parts.listener.provenAt,
    },
    bells: parts.bells.heard,
    polls: seen.polls,
    rowsRead: reader.rowsRead,
    sealedId: cursor?.low ?? 0,
    highId: cursor?.high ?? 0,
    unsealedIds: cursor?.unsealedIds ?? 0,
    sealLagMs: openSince === undefined ? 0 : Math.max(0, parts.databaseNow - openSince),
    aheadRows: reader.ahead.rows,
    givenUp: cursor?.givenUp ?? 0,
    pendingTracked: reader.pending.tracked,
    pendingUntracked: reader.pending.untracked,
    backfill: reader.backfill?.state() ?? null,
    notificationQueueUsage: parts.bells.queueUsage,
    resets: seen.resets,
    lastResetReason: seen.lastResetReason,
    warnings: parts.warnings,
  };
  return { state, lagMs, completeness: completeness() };

  function lag(): number | null {
    if (!seen.connected || seen.role !== 'leader' || since === null) return null;
    // Armed and asleep: the next row would have rung.
    const asleep = bell.mode === 'armed' && !seen.behind && since < SILENT_MS;
    return asleep ? 0 : since;
  }

  function completeness(): Completeness {
    if (seen.role === 'standby')
      return { state: 'unknown', ratio: null, reasons: ['Another monitor follows this table.'] };
    if (!seen.connected)
      return { state: 'unknown', ratio: null, reasons: [`Nothing can be read: ${seen.lostReason}.`] };
    if (seen.scanning)
      return { state: 'catching_up', ratio: null, reasons: ['The windows are being filled from the table.'] };
    if (since !== null && since > SILENT_MS && !seen.behind)
      return {
        state: 'unknown',
        ratio: null,
        reasons: [`The last poll ended ${Math.round(since / 1000)} s ago.`],
      };
    if (since !== null && since > BEHIND_MS)
      return { state: 'catching_up', ratio: null, reasons: ['A backlog is being read.'] };
    if (reader.catchingUp)
      return {
        state: 'catching_up',
        ratio: null,
        reasons: ['What was written while nobody watched is being read.'],
      };
    if (reader.backfill?.windowsFilled === false)
      return {
        state: 'catching_up',
        ratio: null,
        reasons: [
          `The windows are being filled from the table, of which ${(state.backfill?.percent ?? 0).toFixed(1)} % has been read.`,
        ],
      };
    if (reader.partsWaiting > 0)
      return { state: 'catching_up', ratio: null, reasons: ['Parts of the windows are being read again.'] };
    const reasons: string[] = [];
    const missing = state.givenUp + state.pendingUntracked;
    if (state.givenUp > 0)
      reasons.push(`${state.givenUp} open ids were given up because a bound was reached.`);
    if (state.pendingUntracked > 0)
      reasons.push(`${state.pendingUntracked} pending rows beyond the bound are followed slowly.`);
    if (reader.unwitnessed > 0)
      reasons.push(
        `${reader.unwitnessed} customers may be missing: their other rows were not found in time.`,
      );
    if (reader.ahead.incomplete) reasons.push('There are more ids beyond the sequence than can be followed.');
    if (reasons.length === 0) return { state: 'complete', ratio: 1, reasons };
    return {
      state: 'incomplete',
      ratio: missing === 0 ? null : state.rowsRead / (state.rowsRead + missing),
      reasons,
    };
  }
}
