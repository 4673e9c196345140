DROP TRIGGER IF EXISTS sync_monitor_bell ON :table;
