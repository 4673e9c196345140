-- Alerts: what fires and fired, who said so, and the notices on their way out. Every row says which watched table it is
-- about: one database can have several monitors.

-- The state of all rules (streams/rules.ts), so that a restart neither forgets nor repeats.
CREATE TABLE sync_monitor.alert_state (
  table_name text PRIMARY KEY,
  states jsonb NOT NULL,
  saved_at timestamptz NOT NULL
);

-- Alerts that fire (ends_at null) or fired.
CREATE TABLE sync_monitor.alert (
  table_name text NOT NULL,
  id text NOT NULL,
  rule text NOT NULL,
  severity text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz,
  value double precision,
  peak double precision,
  threshold double precision NOT NULL,
  reason text NOT NULL,
  title text NOT NULL,
  message text NOT NULL,
  evidence jsonb,
  acked_at timestamptz,
  acked_by text,
  ack_note text,
  PRIMARY KEY (table_name, id)
);
CREATE INDEX alert_newest ON sync_monitor.alert (table_name, starts_at DESC);

CREATE TABLE sync_monitor.silence (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  table_name text NOT NULL,
  -- A rule's name, or * for all
  rule text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  reason text NOT NULL,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX silence_end ON sync_monitor.silence (table_name, ends_at);

-- One row per transition and receiver. `id` is the webhook-id, made from the two, so that deciding or sending a second
-- time is the same notice to us and to the receiver.
CREATE TABLE sync_monitor.outbox (
  table_name text NOT NULL,
  id text NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  transition_id text NOT NULL,
  alert_id text NOT NULL,
  rule text NOT NULL,
  kind text NOT NULL,
  receiver text NOT NULL,
  body text NOT NULL,
  decided_at timestamptz NOT NULL,
  -- Since when it could be sent; a day later it is given up
  due_from timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  -- pending, or how it ended: src/alerts/notice.ts lists the words
  outcome text NOT NULL DEFAULT 'pending',
  -- Of the last attempt, or why it waits or ended
  reason text,
  done_at timestamptz,
  PRIMARY KEY (table_name, id)
);
CREATE INDEX outbox_pending ON sync_monitor.outbox (table_name, seq) WHERE outcome = 'pending';
CREATE INDEX outbox_alert ON sync_monitor.outbox (table_name, alert_id);

-- The delivery log: every attempt.
CREATE TABLE sync_monitor.delivery (
  table_name text NOT NULL,
  notice_id text NOT NULL,
  receiver text NOT NULL,
  rule text NOT NULL,
  kind text NOT NULL,
  attempt integer NOT NULL,
  at timestamptz NOT NULL,
  duration_ms double precision NOT NULL,
  outcome text NOT NULL,
  status integer,
  reason text,
  PRIMARY KEY (table_name, notice_id, attempt)
);
CREATE INDEX delivery_newest ON sync_monitor.delivery (table_name, at DESC);

-- Receivers that answered 410. A changed address has another fingerprint and is tried again.
CREATE TABLE sync_monitor.receiver_gone (
  table_name text NOT NULL,
  receiver text NOT NULL,
  fingerprint text NOT NULL,
  at timestamptz NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (table_name, receiver)
);

-- The last notice of each rule, for the rate limit over restarts and replicas.
CREATE TABLE sync_monitor.alert_cooldown (
  table_name text NOT NULL,
  rule text NOT NULL,
  transition_id text NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (table_name, rule)
);
