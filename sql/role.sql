-- The least that "sync-monitor serve" needs, as a role of its own. Run once by the table's owner or a superuser:
--
--   psql -v table=public.customer_sync_logs -v password="'choose one'" -f sql/role.sql DATABASE
--
-- then "sync-monitor migrate" as the owner (it installs the schema and the bell), then this script again, so that the
-- grants on the schema are made too. Every statement can be run any number of times.
\set ON_ERROR_STOP on
\if :{?table}
\else
  \set table public.customer_sync_logs
\endif
\if :{?role}
\else
  \set role customer_sync_monitor
\endif

SELECT format('CREATE ROLE %I LOGIN', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
\if :{?password}
ALTER ROLE :"role" PASSWORD :password;
\endif

-- Only the columns that are read (SPEC section 1); columns that a deployment lacks are left out. tableoid says in which
-- partition a row lies, where there are partitions.
SELECT format('GRANT SELECT (%s) ON %s TO %I', string_agg(quote_ident(attname), ', ' ORDER BY attnum), :'table'::regclass, :'role')
  FROM pg_attribute
 WHERE attrelid = :'table'::regclass AND NOT attisdropped
   AND (attname <> 'tableoid' OR EXISTS (SELECT FROM pg_class WHERE oid = attrelid AND (relkind = 'p' OR relhassubclass)))
   AND attname IN ('tableoid', 'id', 'operation_type', 'status', 'created_at', 'customer_id', 'customer_email', 'onec_id',
                   'correlation_id', 'error_message', 'duration_ms', 'details') \gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'role')
  FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid WHERE c.oid = :'table'::regclass \gexec

-- The sequence behind id: its position says which ids exist. SELECT only; nobody's nextval is touched.
SELECT DISTINCT format('GRANT USAGE ON SCHEMA %1$s TO %2$I; GRANT SELECT ON SEQUENCE %3$s TO %2$I', s.relnamespace::regnamespace, :'role', s.oid::regclass)
  FROM pg_class s
  JOIN pg_depend d ON (d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refobjid = :'table'::regclass)
                   OR (d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid
                       AND d.objid IN (SELECT oid FROM pg_attrdef WHERE adrelid = :'table'::regclass))
 WHERE s.relkind = 'S' \gexec

-- The schema to write in, once "migrate" has made it.
SELECT format('GRANT USAGE ON SCHEMA sync_monitor TO %I', :'role')
 WHERE EXISTS (SELECT FROM pg_namespace WHERE nspname = 'sync_monitor') \gexec
SELECT format('GRANT %s ON sync_monitor.%I TO %I',
              CASE WHEN relname = 'migrations' THEN 'SELECT'
                   WHEN relname IN ('rollup_todo', 'delivery') THEN 'SELECT, INSERT, DELETE'
                   WHEN relname IN ('alert_state', 'receiver_gone', 'alert_cooldown') THEN 'SELECT, INSERT, UPDATE'
                   ELSE 'SELECT, INSERT, UPDATE, DELETE' END, relname, :'role')
  FROM pg_class WHERE relnamespace = to_regnamespace('sync_monitor') AND relkind = 'r' \gexec
