-- The bell on the watched table. :table, :channel and :when are filled in by "sync-monitor migrate".
-- For each statement, never for each row; no column list (it would make the owner's ALTER COLUMN TYPE fail).
-- WHEN: the key is free or shared while the monitor is busy or absent, then nothing is notified and plpgsql is not
-- even entered; only while the monitor is idle and holds the key exclusively does the try fail and the bell ring.
CREATE TRIGGER sync_monitor_bell AFTER INSERT OR UPDATE ON :table
  FOR EACH STATEMENT :when EXECUTE FUNCTION sync_monitor.ring(:channel);
