/** The command that shows the rows behind an alert, ready to be pasted into a shell. */
import type { Rule, Transition } from '../../streams/alert.js';
import { maskText } from '../../streams/mask.js';

const WINDOW_MS: Readonly<Record<string, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '1h': 3_600_000,
  '24h': 86_400_000,
};
/** Of what has no window of its own. */
const STANDARD_WINDOW = '5m';
const SOME_SECONDS = 60_000;

/**
 * `sync-monitor tail` for the time from one window before the alert began to the notice, with the filters of its rule.
 * @param publicUrl address of the monitor, so that the command works on any machine; null: the one it runs on
 */
export function tailCommand(
  transition: Transition,
  rule: Rule | undefined,
  evidenceWindow: string | null,
  publicUrl: string | null,
): string {
  const measure = rule?.measure ?? '';
  const window = /_(1m|5m|1h|24h)$/.exec(measure)?.[1] ?? evidenceWindow ?? STANDARD_WINDOW;
  const from = transition.startsAt - (WINDOW_MS[window] ?? 0);
  const words = ['sync-monitor', 'tail', '--no-follow'];
  words.push(`--since=${isoSeconds(from)}`, `--until=${isoSeconds(transition.at + SOME_SECONDS)}`);
  for (const status of statusesOf(measure)) words.push(`--status=${status}`);
  const type =
    rule?.operationType ??
    (measure === 'batch_failures'
      ? 'batch_operation'
      : measure === 'export_queue'
        ? 'export_to_1c'
        : undefined);
  // A name that cannot be typed or must not be shown is left out rather than changed: the command then shows more rows.
  if (type !== undefined && maskText(type) === type) words.push(`--type=${type}`);
  if (publicUrl !== null) words.push(`--url=${feedUrl(publicUrl)}`);
  return words.map(shellQuoted).join(' ');
}

function statusesOf(measure: string): string[] {
  if (/^(pending|pending_age_seconds|export_queue)$/.test(measure)) return ['pending'];
  const ofErrors = /^(error|slo_|customers_affected|batch_failures)/.test(measure);
  // A batch that reports errors can have any status of its own.
  return ofErrors && measure !== 'batch_failures' ? ['error', 'failed'] : [];
}

function feedUrl(publicUrl: string): string {
  const url = new URL(publicUrl);
  url.protocol = url.protocol.replace('http', 'ws');
  url.pathname = `${url.pathname.replace(/\/$/, '')}/ws`;
  url.username = '';
  url.password = '';
  url.hash = '';
  url.search = '';
  return url.href;
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** One word for a POSIX shell, whatever is in it: between single quotes nothing has a meaning but the quote. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
