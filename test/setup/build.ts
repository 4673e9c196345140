/** Compiles into dist/ what tests start as a process of its own. Type errors are the business of another check. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
const PAGE = 'dashboards/live';

export default function setup(): void {
  run('tsc', ['-p', 'tsconfig.build.json']);
  run('vite', ['build', '--logLevel', 'warn']);
  // Not where nothing changed: a monitor that is started meanwhile would find no page.
  if (newestOf(resolve(root, PAGE)) > builtAt(resolve(root, 'dist', PAGE, 'index.html'))) {
    run('vite', ['build', PAGE, '--logLevel', 'warn']);
  }
}

function run(tool: string, args: readonly string[]): void {
  // Of Vitest Vite would learn NODE_ENV=test, and make a page for debugging.
  const env = { ...process.env, NODE_ENV: 'production' };
  const program = resolve(root, 'node_modules', '.bin', tool);
  const ran = spawnSync(program, args, { cwd: root, encoding: 'utf8', env });
  if (ran.error) throw ran.error;
}

function newestOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

/** When it was built, ms; never counts as before everything. */
function builtAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** A compiled file, e.g. built('src/index.js'). */
export function built(path: string): string {
  return resolve(root, 'dist', path);
}

/** What a user starts. */
export const PROGRAM = resolve(root, 'dist/bin/sync-monitor.js');
