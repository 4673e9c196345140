/** What a replay found, as values for machines and as lines for people. Personal data is masked already. */
import type { Measure } from '../../streams/alert.js';
import { REPLAY_STEP_MS, type Replay, type ReplayedAlert } from './replay.js';

/** Of `--json`; times are ISO 8601 UTC. */
export interface ReplayWire {
  readonly table: string;
  readonly since: string;
  readonly until: string;
  readonly rows: number;
  readonly step_seconds: number;
  readonly alerts: readonly AlertWire[];
  /** By rule: how often it fired and was over again before the rate limit let a notice out. */
  readonly unsent: Readonly<Record<string, number>>;
  readonly judged: readonly string[];
  readonly not_judged: readonly string[];
  /** What the numbers do not say, one sentence each. */
  readonly notes: readonly string[];
}

interface AlertWire {
  readonly rule: string;
  readonly severity: string;
  readonly measure: string;
  readonly operation_type: string | null;
  readonly threshold: number;
  readonly starts_at: string;
  /** It fired at the first step: it may have begun before. */
  readonly began_before: boolean;
  readonly notice_at: string;
  /** Null: it still fires at the end. */
  readonly ends_at: string | null;
  /** Up to the end of the replay where it still fires. */
  readonly duration_seconds: number;
  readonly value: number | null;
  readonly peak: number | null;
  readonly peak_at: string;
  readonly affected_customers: number | null;
  readonly top_errors: readonly { readonly message: string | null; readonly count: number }[];
}

export interface ReplayedPeriod {
  readonly table: string;
  readonly from: number;
  readonly to: number;
}

const PENDING_NOTE =
  'Pending rows are taken as they are now, since their created_at: those that were pending then and are settled now are not seen as pending.';

export function replayWire(replay: Replay, { table, from, to }: ReplayedPeriod): ReplayWire {
  const notJudged = replay.notJudged.join(', ');
  const health = `Not judged, because nobody knows how components were: ${notJudged}.`;
  return {
    table,
    since: isoOf(from),
    until: isoOf(to),
    rows: replay.rows,
    step_seconds: REPLAY_STEP_MS / 1000,
    alerts: [...replay.alerts].sort((a, b) => a.startsAt - b.startsAt).map((alert) => alertWire(alert, to)),
    unsent: Object.fromEntries(replay.unsent),
    judged: replay.rules.map(({ name }) => name),
    not_judged: replay.notJudged,
    notes: [...(notJudged === '' ? [] : [health]), PENDING_NOTE],
  };
}

function alertWire(alert: ReplayedAlert, to: number): AlertWire {
  const { rule, startsAt, endsAt, evidence } = alert;
  return {
    rule: rule.name,
    severity: rule.severity,
    measure: rule.measure,
    operation_type: rule.operationType ?? null,
    threshold: rule.threshold,
    starts_at: isoOf(startsAt),
    began_before: alert.before,
    notice_at: isoOf(alert.noticeAt),
    ends_at: endsAt === null ? null : isoOf(endsAt),
    duration_seconds: ((endsAt ?? to) - startsAt) / 1000,
    value: alert.value,
    peak: alert.peak,
    peak_at: isoOf(alert.peakAt),
    affected_customers: evidence?.affected_customers ?? null,
    top_errors: (evidence?.top_errors ?? []).slice(0, 3).map(({ message, count }) => ({ message, count })),
  };
}

export function replayLines(wire: ReplayWire): string[] {
  const { table, since, until, rows, step_seconds: step, judged, alerts, unsent, notes } = wire;
  const lines = [
    `${table} from ${since} to ${until}: ${rows} rows, ${judged.length} rules, a step each ${step} s`,
    '',
  ];
  if (alerts.length === 0) lines.push('No alert would have fired.');
  for (const alert of alerts) lines.push(...alertLines(alert));
  if (alerts.length > 0) lines.push('', `${counted(alerts.length, 'alert')}: ${summary(alerts)}`);
  for (const [rule, times] of Object.entries(unsent))
    lines.push(
      `${rule} fired ${times} more times for less than the rate limit: no notice would have been sent.`,
    );
  return [...lines, '', ...notes];
}

function alertLines(alert: AlertWire): string[] {
  const { measure, operation_type: type, value, peak, peak_at: peakAt, threshold } = alert;
  const start = `${alert.began_before ? 'before ' : ''}${shortTime(alert.starts_at)}`;
  const lasts = `${durationText(alert.duration_seconds)}${alert.ends_at === null ? ', still firing' : ''}`;
  const unit = unitOf(measure);
  const lines = [
    `${start}  ${alert.severity.padEnd(8)}  ${alert.rule}  for ${lasts}`,
    `  ${measure}${type === null ? '' : ` of ${type}`} was at ${shown(value, unit)} (line ${shown(threshold, unit)}), at its peak at ${shown(peak, unit)} at ${shortTime(peakAt)}`,
  ];
  if (alert.notice_at !== alert.starts_at)
    lines.push(`  notice at ${shortTime(alert.notice_at)}, after the rate limit`);
  if (alert.affected_customers !== null && alert.affected_customers > 0)
    lines.push(`  ${counted(alert.affected_customers, 'customer')} affected`);
  for (const { message, count } of alert.top_errors)
    lines.push(`  ${count} x ${message ?? 'errors without a message'}`);
  return lines;
}

function summary(alerts: readonly AlertWire[]): string {
  const counts = new Map<string, number>();
  for (const { rule } of alerts) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].map(([rule, count]) => `${rule} ${count}`).join(', ');
}

function unitOf(measure: Measure | string): string {
  if (measure.startsWith('error_rate')) return ' %';
  if (measure.startsWith('duration')) return ' ms';
  if (measure.startsWith('throughput')) return ' per minute';
  if (measure.startsWith('slo_')) return ' times the budget';
  if (measure === 'minutes_without_rows') return ' min';
  return measure === 'pending_age_seconds' ? ' s' : '';
}

function shown(value: number | null, unit: string): string {
  return value === null ? 'nothing' : `${Math.round(value * 100) / 100}${unit}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function durationText(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), Math.round(seconds % 60)];
  return [h > 0 ? `${h} h` : '', m > 0 ? `${m} min` : '', s > 0 || h + m === 0 ? `${s} s` : '']
    .filter((part) => part !== '')
    .join(' ');
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}
