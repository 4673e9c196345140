-- History: minutes folded from the log, and the checkpoint that says which rows are in them (streams/checkpoint.ts).

-- One row per watched table.
CREATE TABLE sync_monitor.checkpoint (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Null: history began anew, and this one is dropped in small batches.
  table_name text UNIQUE,
  -- Which table and sequence of which cluster this is about: another one means that history starts anew.
  identity text NOT NULL,
  -- The process that writes; a leader back from the dead finds another token here and stops.
  leader uuid NOT NULL,
  -- Counts the transactions that moved the cursor.
  flush_no bigint NOT NULL DEFAULT 0,
  flushed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  high bigint NOT NULL,
  floor bigint,
  holes int8multirange NOT NULL DEFAULT '{}',
  pending int8multirange NOT NULL DEFAULT '{}',
  ahead bigint[] NOT NULL DEFAULT '{}',
  -- Names beyond the known ones that have been met: {"types": [], "statuses": [], "sources": [], "methods": []}
  names jsonb NOT NULL DEFAULT '{}',
  -- Minutes are kept from here on, quarter hours and coarser ones from there.
  minutes_from timestamptz NOT NULL,
  rollups_from timestamptz NOT NULL,
  -- Where the owner's retention has cut the table off: what is older is not audited any more.
  raw_from timestamptz,
  audit jsonb NOT NULL DEFAULT '{}'
);

-- One row per period and operation type. Only settled rows: pending ones are read from the table by their ids.
CREATE TABLE sync_monitor.rollup (
  checkpoint_id integer NOT NULL REFERENCES sync_monitor.checkpoint ON DELETE CASCADE,
  -- 0 minute, 1 quarter hour, 2 day, 3 month; all in UTC
  level smallint NOT NULL,
  start timestamptz NOT NULL,
  operation_type text NOT NULL,
  success bigint NOT NULL,
  error bigint NOT NULL,
  failed bigint NOT NULL,
  warning bigint NOT NULL,
  skipped bigint NOT NULL,
  other_statuses jsonb,
  duration_count bigint NOT NULL,
  duration_sum bigint NOT NULL,
  duration_min integer,
  duration_max integer,
  duration_negative bigint NOT NULL,
  -- HDR histogram, 1 to 2^31-1 ms, 3 digits: the V2 compressed encoding of HdrHistogram
  durations bytea,
  -- Distinct customers of successful rows (src/history/packing.ts)
  customers bytea,
  -- {"sources": {}, "methods": {}, "mails": 0}, absent where there is nothing
  business jsonb,
  id_min bigint,
  id_max bigint,
  PRIMARY KEY (checkpoint_id, level, start, operation_type)
);
-- They are compressed already.
ALTER TABLE sync_monitor.rollup ALTER durations SET STORAGE EXTERNAL, ALTER customers SET STORAGE EXTERNAL;

-- Coarse periods whose rows do not hold all of the finer ones yet: those that have not ended, and those that something
-- late was added to. All others are complete, also where they have no row at all.
CREATE TABLE sync_monitor.rollup_todo (
  checkpoint_id integer NOT NULL REFERENCES sync_monitor.checkpoint ON DELETE CASCADE,
  level smallint NOT NULL,
  start timestamptz NOT NULL,
  PRIMARY KEY (checkpoint_id, level, start)
);
