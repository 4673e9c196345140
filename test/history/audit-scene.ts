/** History of a real table as it is kept by one who reads plainly, and an audit that runs when it is told to. */
import { Audit, type AuditOptions, type AuditPace } from '../../src/history/audit.js';
import { HISTORY_QUERY_TIMEOUT_MS, HISTORY_SESSION } from '../../src/history/db.js';
import { readRollups } from '../../src/history/rollup-rows.js';
import { HistoryStore } from '../../src/history/store.js';
import { Link } from '../../src/source/connection.js';
import { decodeRow } from '../../src/source/decode.js';
import { migrate } from '../../src/source/migrate.js';
import { ReadPool } from '../../src/source/pool.js';
import { QUERY_SESSION } from '../../src/source/source.js';
import { selectList } from '../../src/source/statements.js';
import { discoverTable, type TableInfo } from '../../src/source/table.js';
import type { CursorState, RefoldSpan } from '../../streams/checkpoint.js';
import type { BigId, RowUpdate, SyncRow } from '../../streams/event.js';
import { RangeSet } from '../../streams/ranges.js';
import type { Rollup } from '../../streams/rollup.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask, type Version } from '../setup/postgres.js';
import { SQL_DIR } from '../source/collector.js';
import { floorTo, IDENTITY, MINUTE, QUARTER, rolled } from './scene.js';

export const HOUR = 60 * MINUTE;
/** Longer than any round has to wait for. */
const LONG = 100 * 24 * HOUR;

export interface AuditSceneOptions {
  readonly version: Version;
  /** SQL before the start; makes the table where it is not the sample one. */
  readonly before?: string;
  readonly table?: string;
  readonly pace?: Partial<AuditPace>;
  /** Of the connection that compares; as the monitor's by default. */
  readonly session?: string;
  /** The audit's clock; by default one that stands still. */
  readonly now?: () => number;
}

/**
 * Follows the table without a bell: every id up to the sequence that was not met is a hole for ever. Slow and simple, so
 * that it is right whoever writes what meanwhile.
 */
export class Follower {
  readonly #link: Link;
  readonly #table: TableInfo;
  readonly #store: HistoryStore;
  readonly #holes = new RangeSet();
  readonly #pending = new Map<BigId, SyncRow>();
  readonly #ahead = new Set<BigId>();
  #high = 0;

  constructor(link: Link, table: TableInfo, store: HistoryStore) {
    this.#link = link;
    this.#table = table;
    this.#store = store;
  }

  get state(): CursorState {
    return {
      high: this.#high,
      floor: null,
      holes: [...this.#holes],
      pending: [...this.#pending.keys()],
      ahead: [...this.#ahead],
    };
  }

  /** Reads what is new, and flushes it. */
  async follow(): Promise<void> {
    await this.poll();
    this.#store.capture(this.state);
    await this.#store.flush();
  }

  async poll(): Promise<void> {
    const holes = [...this.#holes];
    const sequence = this.#table.sequence.qualified;
    const raw = await this.#link.query(
      `WITH s AS MATERIALIZED (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS s FROM ${sequence})
       SELECT s.s, t.* FROM s LEFT JOIN LATERAL (SELECT ${selectList(this.#table.columns, 't')} FROM ${this.#table.qualified} t
         WHERE t.id > $1 OR EXISTS (SELECT FROM unnest($2::int8[], $3::int8[]) h(a, b) WHERE t.id BETWEEN h.a AND h.b)) t ON true`,
      [this.#high, holes.map(([from]) => from), holes.map(([, to]) => to)],
    );
    const s = Number(raw[0]?.[0]);
    const rows = raw.filter((row) => row[1] !== null).map((row) => decodeRow(row, 1));
    const fresh = rows.filter(({ id }) => !this.#ahead.has(id));
    if (s > this.#high) this.#holes.add(this.#high + 1, s);
    this.#high = s;
    const ids = fresh.map(({ id }) => id);
    this.#holes.deleteAll(ids.filter((id) => typeof id === 'number'));
    for (const id of ids) if (typeof id !== 'number' || id > s) this.#ahead.add(id);
    const updates = await this.#settled();
    for (const row of fresh) if (row.status === 'pending') this.#pending.set(row.id, row);
    this.#store.apply({ origin: 'live', rows: fresh, updates, removals: [], now: Date.now() });
  }

  /** Believes that nobody will ever commit these ids. */
  giveUp(): void {
    this.#holes.deleteUpTo(this.#high);
  }

  /** What the reader does for a span: pending rows that it did not know are followed from now on. */
  async reread({ from, to }: RefoldSpan): Promise<void> {
    const raw = await this.#link.query(
      `SELECT ${selectList(this.#table.columns, 't')} FROM ${this.#table.qualified} t
       WHERE t.status = 'pending' AND t.created_at >= to_timestamp($1::float8) AND t.created_at < to_timestamp($2::float8) AND t.id <= $3`,
      [from / 1000, to / 1000, this.#high],
    );
    for (const row of raw.map((columns) => decodeRow(columns))) this.#pending.set(row.id, row);
  }

  async #settled(): Promise<RowUpdate[]> {
    if (this.#pending.size === 0) return [];
    const raw = await this.#link.query(
      `SELECT ${selectList(this.#table.columns, 't')} FROM ${this.#table.qualified} t WHERE t.id = ANY ($1::int8[])`,
      [[...this.#pending.keys()]],
    );
    const now = new Map(raw.map((columns) => decodeRow(columns)).map((row) => [row.id, row]));
    const updates: RowUpdate[] = [];
    for (const [id, previous] of this.#pending) {
      const row = now.get(id);
      if (row?.status === 'pending') continue;
      this.#pending.delete(id);
      if (row) updates.push({ row, previous });
    }
    return updates;
  }
}

export class AuditScene {
  readonly db: TestDatabase;
  table: TableInfo;
  readonly link: Link;
  readonly store: HistoryStore;
  readonly follower: Follower;
  audit: Audit;
  readonly pool: ReadPool;
  readonly log: string[] = [];
  /** Spans of the windows that were asked to be read again. */
  readonly spans: RefoldSpan[] = [];
  /** What that meets instead, once. */
  refoldFault: Error | undefined;
  /** Monotonic time as the audit has it: it stands still unless it is told to go on. */
  clock = 0;
  readonly #links: readonly Link[];
  readonly #auditOptions: AuditOptions;

  private constructor(
    parts: { db: TestDatabase; table: TableInfo; link: Link; reader: Link; writer: Link },
    options: AuditSceneOptions,
  ) {
    const { db, table, link, reader, writer } = parts;
    this.db = db;
    this.table = table;
    this.link = link;
    this.#links = [link, reader, writer];
    const say = (level: string) => (fields: object, message: string) =>
      void this.log.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const log = { info: say('info'), warn: say('warn'), error: say('error') };
    this.store = new HistoryStore({
      link: writer,
      tableName: table.label,
      clock: () => Date.now(),
      retentionDays: 400,
      log,
    });
    this.pool = new ReadPool({ url: db.url, session: options.session ?? QUERY_SESSION, size: 1 });
    this.follower = new Follower(reader, table, this.store);
    this.#auditOptions = {
      store: this.store,
      snapshot: (work) => this.pool.snapshot(work),
      table: () => ({
        ...this.table,
        selectList: selectList(this.table.columns, 't'),
        decode: (raw) => decodeRow(raw),
      }),
      refold: async (spans) => {
        const fault = this.refoldFault;
        this.refoldFault = undefined;
        if (fault) throw fault;
        this.spans.push(...spans);
        for (const span of spans) await this.follower.reread(span);
      },
      log,
      now: options.now ?? (() => this.clock),
      ...(options.pace && { pace: options.pace }),
    };
    this.audit = new Audit(this.#auditOptions);
  }

  /** A table with what `before` puts there, all of it in history. */
  static async make(options: AuditSceneOptions): Promise<AuditScene> {
    const db = await freshDatabase(options.version);
    const connected = async (name: string, session = '') => {
      const link = new Link(name, { url: db.url, session, queryTimeoutMs: HISTORY_QUERY_TIMEOUT_MS });
      await link.connect();
      return link;
    };
    if (options.before !== undefined) await ask(db.url, options.before);
    const [link, reader, writer] = [
      await connected('test'),
      await connected('reader'),
      await connected('history', HISTORY_SESSION),
    ];
    const table = await discoverTable(link, options.table ?? 'public.customer_sync_logs');
    await migrate(link, table, 'off', SQL_DIR);
    const made = new AuditScene({ db, table, link, reader, writer }, options);
    await made.store.begin(IDENTITY, made.follower.state);
    await made.follower.follow();
    return made;
  }

  sql(text: string): Promise<Record<string, unknown>[]> {
    return ask(this.db.url, text);
  }

  /** As after a restart: another audit, which knows nothing but what is in the database. */
  anew(): void {
    this.audit = new Audit(this.#auditOptions);
  }

  /** A round of everything. */
  async round(): Promise<void> {
    this.clock += LONG;
    await this.untilIdle();
  }

  /** Steps until nothing is due. @throws where that does not come to an end */
  async untilIdle(steps = 5_000): Promise<void> {
    for (let i = 0; i < steps; i++) if ((await this.audit.step()) > 0) return;
    throw new Error(`still due after ${steps} steps: ${JSON.stringify(this.audit.state)}`);
  }

  /** All that is kept, minutes and old quarter hours, by start and type. */
  async kept(): Promise<Map<string, Rollup>> {
    const { checkpointId, minutesFrom } = this.store;
    const [first, last] = [Date.UTC(1900, 0), Date.UTC(9998, 0)];
    const rows = [
      ...(await readRollups(this.link, checkpointId, 1, { from: first, to: minutesFrom })),
      ...(await readRollups(this.link, checkpointId, 0, { from: minutesFrom, to: last })),
    ];
    return new Map(
      rows.map(({ start, operationType, rollup }) => [
        `${new Date(start).toISOString()} ${operationType}`,
        rollup,
      ]),
    );
  }

  /** The same out of the rows that the table has now. */
  async told(): Promise<Map<string, Rollup>> {
    const raw = await this.link.query(
      `SELECT ${selectList(this.table.columns, 't')} FROM ${this.table.qualified} t ORDER BY id`,
    );
    const { minutesFrom } = this.store;
    const startOf = (at: number) => floorTo(at < minutesFrom ? QUARTER : MINUTE)(at);
    return rolled(
      raw.map((columns) => decodeRow(columns)),
      startOf,
    );
  }

  async close(): Promise<void> {
    await this.audit.stop();
    this.pool.close();
    for (const link of this.#links) link.close();
    await this.db.drop();
  }
}
