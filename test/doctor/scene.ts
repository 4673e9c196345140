/** The program without a process around it, against real parts: what it prints, and its exit code. */
import type { Report } from '../../src/doctor/check.js';
import { run } from '../../src/main.js';

export interface Outcome {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

export type Env = Readonly<Record<string, string>>;

/** One command until it ends by itself. */
export async function command(args: readonly string[], env: Env): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  const stop = new AbortController();
  const code = await run(args, {
    print: (line) => void out.push(line),
    note: (line) => void err.push(line),
    signal: stop.signal,
    colours: false,
    env,
    folder: import.meta.dirname,
  });
  return { code, out, err };
}

/** `doctor --json`, and its checks by name. */
export async function diagnose(url: string, env: Env = {}) {
  const { code, out, err } = await command(['doctor', '--json'], { DATABASE_URL: url, ...env });
  const report = JSON.parse(out.join('\n')) as Report;
  const check = (name: string) => {
    const found = report.checks.find((one) => one.check === name);
    if (!found) throw new Error(`no check ${name} in ${report.checks.map((one) => one.check).join(', ')}`);
    return found;
  };
  /** The names of all checks with this status. */
  const all = (status: string) =>
    report.checks.filter((one) => one.status === status).map((one) => one.check);
  return { code, err, report, check, all };
}

/** What `serve` says when it refuses: exactly one line. @throws when it says more, or nothing, or does not end with 1 */
export async function refusal(url: string, env: Env = {}): Promise<string> {
  const { code, out, err } = await command(['serve', '--port', '0'], { DATABASE_URL: url, ...env });
  if (code !== 1 || out.length > 0 || err.length !== 1)
    throw new Error(`not one sentence and 1, but ${code}: ${[...out, ...err].join('\n')}`);
  return err[0] as string; // there is exactly one
}
