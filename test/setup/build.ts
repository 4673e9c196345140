/** Compiles into dist/ what tests start as a process of its own. Type errors are the business of another check. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');

export default function setup(): void {
  const tsc = resolve(root, 'node_modules', '.bin', 'tsc');
  const run = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, encoding: 'utf8' });
  if (run.error) throw run.error;
}

/** A compiled file, e.g. built('src/main.js'). */
export function built(path: string): string {
  return resolve(root, 'dist', path);
}
