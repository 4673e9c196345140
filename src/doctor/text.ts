/** The report as people read it. */
import type { CheckResult, Report } from './check.js';

const SIGNS = { ok: 'ok', warning: 'warning', fault: 'FAULT', skipped: 'skipped' } as const;
const COLOURS = { ok: 32, warning: 33, fault: 31, skipped: 90 } as const;
const INDENT = ' '.repeat(9);

/** Lines: per check its status, name and sentence, then what to do; at the end how many there were of each. */
export function reportLines({ checks }: Report, colours: boolean): string[] {
  const width = Math.max(...checks.map(({ check }) => check.length));
  const paint = (text: string, colour: number) => (colours ? `\u001b[${colour}m${text}\u001b[0m` : text);
  const lines = checks.flatMap((result) => {
    const { check, status, message, remedy, sql } = result;
    const head = `${paint(SIGNS[status].padEnd(8), COLOURS[status])} ${check.padEnd(width)}  ${plain(message)}`;
    const todo = remedy === null ? [] : [`${INDENT}-> ${plain(remedy)}`];
    const statements = sql === undefined ? [] : sql.split('\n').map((line) => `${INDENT}   ${plain(line)}`);
    return [head, ...todo, ...statements];
  });
  return [...lines, '', summary(checks)];
}

function summary(checks: readonly CheckResult[]): string {
  const count = (status: CheckResult['status']) => checks.filter((check) => check.status === status).length;
  return `${count('ok')} ok, ${count('warning')} warnings, ${count('fault')} faults, ${count('skipped')} skipped`;
}

/** Names come from the database; none of them shall steer the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
