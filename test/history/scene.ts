/** A database with a place to write history in, stores on it, and what is kept there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Level } from '../../src/history/cover.js';
import { HISTORY_QUERY_TIMEOUT_MS, HISTORY_SESSION } from '../../src/history/db.js';
import type { RollupRow } from '../../src/history/rollup-rows.js';
import { readRollups } from '../../src/history/rollup-rows.js';
import { HistoryStore, type HistoryStoreOptions } from '../../src/history/store.js';
import { Link } from '../../src/source/connection.js';
import { migrate } from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import type { CursorState } from '../../streams/checkpoint.js';
import { type Batch, PENDING, type SyncRow } from '../../streams/event.js';
import { namesOf, type Rollup, RollupBuilder } from '../../streams/rollup.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask, type Version } from '../setup/postgres.js';
import { SQL_DIR } from '../source/collector.js';
import { batch } from '../streams/rows.js';

export const TABLE = 'public.customer_sync_logs';
export const IDENTITY = '7000000000000000000/16400/16401/16401';
/** The moment at which these tests play, by the database's clock. */
export const NOW = Date.UTC(2025, 5, 15, 12, 7, 30);
export const MINUTE = 60_000;
export const QUARTER = 15 * MINUTE;
export const DAY = 96 * QUARTER;

export interface Scene {
  readonly db: TestDatabase;
  readonly log: string[];
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** A store on a connection of its own, which is closed with the scene. */
  store(options?: Partial<HistoryStoreOptions> & { url?: string }): { store: HistoryStore; link: Link };
  close(): Promise<void>;
}

export async function scene(version: Version): Promise<Scene> {
  const db = await freshDatabase(version);
  const link = new Link('setup', { url: db.url });
  await link.connect();
  await migrate(link, await discoverTable(link, TABLE), 'off', SQL_DIR);
  link.close();
  const links: Link[] = [];
  const log: string[] = [];
  const say = (level: string) => (_: object, message: string) => void log.push(`${level} ${message}`);
  return {
    db,
    log,
    sql: (text) => ask(db.url, text),
    store({ url = db.url, ...options } = {}) {
      const own = new Link('history', {
        url,
        session: HISTORY_SESSION,
        queryTimeoutMs: HISTORY_QUERY_TIMEOUT_MS,
      });
      links.push(own);
      const store = new HistoryStore({
        link: own,
        tableName: TABLE,
        clock: () => NOW,
        retentionDays: 400,
        log: { info: say('info'), warn: say('warn'), error: say('error') },
        ...options,
      });
      return { store, link: own };
    },
    async close() {
      for (const one of links) one.close();
      await db.drop();
    },
  };
}

/** A state in which all ids up to `high` are in history. */
export function upTo(high: number, fields: Partial<CursorState> = {}): CursorState {
  return { high, floor: null, holes: [], pending: [], ahead: [], ...fields };
}

export function live(...rows: SyncRow[]): Batch {
  return batch(NOW, { rows });
}

/** What is kept at a level, by start and type. */
export async function kept(link: Link, id: number, level: Level): Promise<Map<string, Rollup>> {
  if (!link.connected) await link.connect();
  const all = { from: Date.UTC(1900, 0), to: Date.UTC(9998, 0) };
  return keyed(await readRollups(link, id, level, all));
}

/** The same out of rows, in the plainest way; `startOf` says in which period a time is. */
export function rolled(rows: Iterable<SyncRow>, startOf: (at: number) => number): Map<string, Rollup> {
  const words = new Vocabulary();
  const builders = new Map<string, RollupBuilder>();
  for (const row of rows) {
    if (row.status === PENDING) continue;
    const type = words.types.index(row.operationType);
    const key = `${new Date(startOf(row.createdAt)).toISOString()} ${words.types.name(type)}`;
    const builder = builders.get(key) ?? new RollupBuilder();
    builders.set(key, builder);
    builder.add(row, namesOf(row, type, words));
  }
  return new Map([...builders].map(([key, builder]) => [key, builder.build()]));
}

function keyed(rows: readonly RollupRow[]): Map<string, Rollup> {
  return new Map(
    rows.map(({ start, operationType, rollup }) => [
      `${new Date(start).toISOString()} ${operationType}`,
      rollup,
    ]),
  );
}

/** `start` floored to whole multiples of `length`, ms. */
export const floorTo = (length: number) => (at: number) => Math.floor(at / length) * length;

/** Flushes until it succeeds, as serve does; gives the errors in between. */
export async function flushed(store: HistoryStore): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (;;) {
    try {
      await store.flush();
      return errors;
    } catch (error) {
      errors.push(error);
      if (errors.length === 50) throw error;
      await sleep(20);
    }
  }
}
