/** A history that keeps every row it counts, and a monitor of one table that goes on from it. */
import type pg from 'pg';
import { Subject } from 'rxjs';
import { expect } from 'vitest';
import { Link } from '../../src/source/connection.js';
import type { Resumed, SourceHistory } from '../../src/source/history-port.js';
import { migrate } from '../../src/source/migrate.js';
import { Source, type SourceOptions } from '../../src/source/source.js';
import { discoverTable } from '../../src/source/table.js';
import { Changes } from '../../streams/changes.js';
import type { CursorState } from '../../streams/checkpoint.js';
import { type Batch, type BigId, PENDING, type SyncRow, type Tick } from '../../streams/event.js';
import { pipeline } from '../../streams/pipeline.js';
import { RangeSet } from '../../streams/ranges.js';
import type { Snapshot } from '../../streams/snapshot.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { differences } from '../monitor/oracle.js';
import { SQL_DIR, until } from './collector.js';

/**
 * Rows and state of the last flush survive; what came after it is forgotten by the next `open`, as by a crash. Every
 * flush proves that the state says exactly which rows are in it.
 */
export class MemoryHistory implements SourceHistory {
  identity: string | undefined;
  state: CursorState | undefined;
  /** Flushed, by id. */
  rows = new Map<BigId, SyncRow>();
  /** Not yet. */
  #fresh = new Map<BigId, SyncRow>();
  readonly faults: string[] = [];
  begun = 0;
  opened = 0;
  flushes = 0;
  full = false;
  /** Whether the next rest is the moment of a flush. */
  due: () => boolean = () => true;
  /** Called with each `open`, before anything else; what it throws is what the connection throws. */
  onOpen: () => void = () => undefined;

  async open(identity: string): Promise<Resumed | undefined> {
    this.opened++;
    this.onOpen();
    this.#fresh.clear();
    const { state } = this;
    if (!state || identity !== this.identity) return undefined;
    return { state, minutes: (from, to) => this.#minutes(from, to), firstId: (from) => this.#firstId(from) };
  }

  async begin(identity: string, state: CursorState): Promise<void> {
    this.begun++;
    this.identity = identity;
    this.state = state;
    this.rows = new Map();
    this.#fresh.clear();
  }

  /** As `Changes` does, but row by row. */
  apply(batch: Batch): void {
    if (batch.origin === 'window' || batch.origin === 'refold') return;
    for (const row of [...batch.rows, ...batch.updates.map((update) => update.row)]) {
      if (row.status === PENDING) continue;
      if (this.rows.has(row.id) || this.#fresh.has(row.id))
        this.faults.push(`row ${row.id} was counted twice`);
      this.#fresh.set(row.id, row);
    }
  }

  atRest(capture: () => CursorState): boolean {
    if (!this.due()) return false;
    this.state = capture();
    for (const [id, row] of this.#fresh) this.rows.set(id, row);
    this.#fresh.clear();
    this.flushes++;
    const counted = countedBy(this.state);
    for (const id of this.rows.keys())
      if (!counted(id)) this.faults.push(`row ${id} is in history, which the state does not say`);
    return false;
  }

  async *#minutes(from: number, to: number) {
    const changes = new Changes(new Vocabulary());
    const rows = [...this.rows.values()].filter(({ createdAt }) => createdAt >= from && createdAt < to);
    changes.apply({ origin: 'start', rows, updates: [], removals: [], now: 0 });
    const minutes = Array.from(changes.entries(), (it) => ({ ...it, rollup: it.rollup.build() }));
    for (let at = 0; at < minutes.length; at += 100) yield minutes.slice(at, at + 100);
  }

  async #firstId(from: number): Promise<number | null> {
    let first = Number.POSITIVE_INFINITY;
    for (const { id, createdAt } of this.rows.values())
      if (createdAt >= from && typeof id === 'number') first = Math.min(first, id);
    return Number.isFinite(first) ? first : null;
  }
}

/** The rule of streams/checkpoint.ts. */
export function countedBy({ high, floor, holes, pending, ahead }: CursorState): (id: BigId) => boolean {
  const open = RangeSet.of(holes);
  const single = new Set<BigId>(ahead);
  const waiting = new Set<BigId>(pending);
  return (id) =>
    single.has(id) ||
    (typeof id === 'number' &&
      id <= high &&
      (floor === null || id > floor) &&
      !open.has(id) &&
      !waiting.has(id));
}

export interface Kept {
  readonly source: Source;
  readonly log: string[];
  /** The batches since the start, without their rows' texts being touched. */
  readonly origins: Map<BigId, Batch['origin']>;
  latest(): Snapshot;
  /** Everything is read, sealed and flushed; then windows and history are those of the table. */
  agrees(client: pg.Client): Promise<void>;
  stop(): Promise<void>;
}

/** Follows the table with this history, as the monitor does. */
export async function keep(
  url: string,
  history: MemoryHistory,
  overrides: Partial<SourceOptions> = {},
): Promise<Kept> {
  const table = 'customer_sync_logs';
  const setup = new Link('setup', { url });
  await setup.connect();
  const info = await discoverTable(setup, table);
  // Only once: writers that hold the table would be waited for.
  if (history.opened === 0) await migrate(setup, info, 'auto', SQL_DIR);
  setup.close();
  const log: string[] = [];
  const say = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const source = new Source({
    url,
    table: info,
    bell: { configured: 'auto', effective: 'auto' },
    historyMs: 25 * 3_600_000,
    log: { info: say, warn: say, error: say },
    history,
    ...overrides,
  });
  const ticks = new Subject<Tick>();
  const folded = pipeline({ batches$: source.batches$, ticks$: ticks, epoch: 'test' });
  folded.connect();
  const origins = new Map<BigId, Batch['origin']>();
  source.batches$.subscribe((batch) => {
    history.apply(batch);
    for (const { id } of batch.rows) origins.set(id, batch.origin);
  });
  const timer = setInterval(() => {
    if (!source.clock.known) return;
    ticks.next({ now: source.clock.now(), completeness: source.completeness(), lagMs: source.lagMs() });
  }, 100);
  const latest = () => {
    const snapshot = folded.latest();
    if (!snapshot) throw new Error('no snapshot yet');
    return snapshot;
  };
  source.start();
  return {
    source,
    log,
    origins,
    latest,
    async agrees(client) {
      const rest = () => {
        const state = source.state();
        return (
          source.completeness().state === 'complete' && state.unsealedIds === 0 && state.backfill === null
        );
      };
      await until(rest, 'complete, sealed and all read').catch((error: unknown) => {
        const told = JSON.stringify([source.completeness(), source.state()]);
        throw new Error(`${String(error)}\n${told}\n${log.join('\n')}`);
      });
      let found = ['never compared'];
      const same = async () => {
        found = await differences(client, latest(), table);
        const { rows } = await client.query(
          `SELECT id::text FROM ${table} WHERE status <> 'pending' ORDER BY ${table}.id`,
        );
        const theirs = rows.map(({ id }) => `${id}`);
        const ours = new Set(Array.from(history.rows.keys(), String));
        for (const id of theirs) if (!ours.delete(id)) found.push(`row ${id} is not in history`);
        for (const id of ours) found.push(`row ${id} is in history and not in the table`);
        return found.length === 0;
      };
      await until(same, 'agreement', 15_000).catch(() => expect(found.slice(0, 20)).toEqual([]));
      expect(history.faults).toEqual([]);
      if (!history.state) throw new Error('nothing was flushed');
      const counted = countedBy(history.state);
      const { rows } = await client.query(`SELECT id::text FROM ${table} WHERE status <> 'pending'`);
      const toId = (digits: string) => (Number.isSafeInteger(Number(digits)) ? Number(digits) : digits);
      expect(rows.filter(({ id }) => !counted(toId(id)))).toEqual([]);
    },
    async stop() {
      clearInterval(timer);
      await source.stop();
    },
  };
}
