-- What the monitor adds to a database lives in the schema sync_monitor, except for the one trigger that rings the
-- bell on the watched table (sql/bell/install.sql).

CREATE SCHEMA IF NOT EXISTS sync_monitor;

COMMENT ON SCHEMA sync_monitor IS 'customer-sync-monitor: bell, versions; removed by "sync-monitor unmigrate"';

CREATE TABLE IF NOT EXISTS sync_monitor.migrations (
  id integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The bell: an empty NOTIFY. The channel comes as the trigger's argument, so that several tables can be watched.
-- It runs as the writer: no rights on the schema are needed to fire it. Identical notifications of one transaction
-- are sent once.
CREATE OR REPLACE FUNCTION sync_monitor.ring() RETURNS trigger
LANGUAGE plpgsql AS $ring$
BEGIN
  PERFORM pg_catalog.pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END
$ring$;
