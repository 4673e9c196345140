/** What a check finds, and the run of all of them. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'fault';
  /** One sentence: what was found. */
  readonly message: string;
  /** What to do; for every warning and fault. */
  readonly remedy?: string;
  /** SQL that does it, ready to be run by whom the remedy names. */
  readonly sql?: string;
}

export interface Check {
  readonly check: string;
  /** Names of earlier checks without which this one says nothing. */
  readonly needs?: readonly string[];
  readonly run: () => Finding | Promise<Finding>;
}

export interface CheckResult {
  readonly check: string;
  readonly status: Finding['status'] | 'skipped';
  readonly message: string;
  readonly remedy: string | null;
  readonly sql?: string;
}

export interface Report {
  /** The gravest of its checks. */
  readonly status: Finding['status'];
  readonly checks: readonly CheckResult[];
}

/** Asks the database; rows are arrays of raw text. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<(string | null)[][]>;

const GRAVITY = ['ok', 'warning', 'fault'] as const;

export const ok = (message: string): Finding => ({ status: 'ok', message });

export function warning(message: string, remedy: string, sql?: string): Finding {
  return { status: 'warning', message, remedy, ...(sql === undefined ? {} : { sql }) };
}

export function fault(message: string, remedy: string, sql?: string): Finding {
  return { status: 'fault', message, remedy, ...(sql === undefined ? {} : { sql }) };
}

/** Several findings as one, with the gravest status; `well` where there is none. */
export function together(findings: readonly Finding[], well: string): Finding {
  const [first, ...rest] = findings;
  if (!first) return ok(well);
  if (rest.length === 0) return first;
  const all = (part: (finding: Finding) => string | undefined, separator: string) =>
    [...new Set(findings.map(part).filter((text) => text !== undefined))].join(separator);
  const sql = all((finding) => finding.sql, '\n');
  return {
    status: gravest(findings.map(({ status }) => status)),
    message: all((finding) => finding.message, ' '),
    remedy: all((finding) => finding.remedy, ' '),
    ...(sql === '' ? {} : { sql }),
  };
}

function gravest(all: readonly Finding['status'][]): Finding['status'] {
  return GRAVITY[Math.max(0, ...all.map((status) => GRAVITY.indexOf(status)))] ?? 'ok';
}

/**
 * Runs the checks in order, one at a time. A check whose needs are at fault or were skipped is skipped; one that
 * throws, or does not end within `timeoutMs`, is a fault that says so. `clean` is applied to every text.
 */
export async function runChecks(
  checks: readonly Check[],
  { timeoutMs, clean = (text) => text }: { timeoutMs: number; clean?: (text: string) => string },
): Promise<Report> {
  const results = new Map<string, CheckResult>();
  for (const { check, needs = [], run } of checks) {
    const lacking = needs.find((need) =>
      ['fault', 'skipped'].includes(results.get(need)?.status ?? 'skipped'),
    );
    if (lacking !== undefined) {
      const message = `Not checked: it needs ${lacking}.`;
      results.set(check, { check, status: 'skipped', message, remedy: null });
      continue;
    }
    const { status, message, remedy, sql } = await outcome(run, timeoutMs);
    results.set(check, {
      check,
      status,
      message: clean(message),
      remedy: remedy === undefined ? null : clean(remedy),
      ...(sql === undefined ? {} : { sql: clean(sql) }),
    });
  }
  const all = [...results.values()];
  return {
    status: gravest(all.map(({ status }) => status).filter((status) => status !== 'skipped')),
    checks: all,
  };
}

async function outcome(run: Check['run'], timeoutMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((settle) => {
    const finding = fault(
      `No answer within ${timeoutMs / 1000} s.`,
      'Run doctor again; if it stays so, look at the load and the network in between.',
    );
    timer = setTimeout(() => settle(finding), timeoutMs);
  });
  const work = (async () => run())().catch((error: unknown) =>
    fault(
      `The check failed: ${error instanceof Error ? error.message : String(error)}.`,
      'Mend what the message names and run doctor again.',
    ),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
