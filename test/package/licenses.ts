/** What of other people's code the package brings along or has installed with it, and under which licence. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Licences whose terms a package under MIT can meet by naming them. */
export const ALLOWED: ReadonlySet<string> = new Set(
  'MIT ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 Unlicense Zlib'.split(' '),
);

/** Told somewhere else than in package.json. */
const TOLD_ELSEWHERE: Readonly<Record<string, string>> = { 'node-bitmap': 'MIT' };

export interface Licensed {
  readonly name: string;
  readonly license: string;
  readonly part: 'installed' | 'optional' | 'in the page';
}

/** By name, as package-lock.json has them; several versions of one package are one line. */
export function licensed(): Licensed[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const found = new Map<string, Licensed>();
  const add = (name: string, one: Locked, part: Licensed['part']) =>
    found.set(name, { name, license: one.license ?? TOLD_ELSEWHERE[name] ?? 'unknown', part });
  for (const [path, one] of Object.entries(lock.packages)) {
    if (path === '' || one.dev === true) continue;
    const optional = one.optional === true || one.devOptional === true;
    add(path.split('node_modules/').at(-1) ?? path, one, optional ? 'optional' : 'installed');
  }
  // Vite puts what the page imports into its script: in the package without being a dependency of it.
  const bundled = (name: string): void => {
    const one = lock.packages[`node_modules/${name}`];
    if (one === undefined) throw new Error(`the page imports ${name}, which package-lock.json does not have`);
    if (found.has(name)) return;
    add(name, one, 'in the page');
    for (const dependency of Object.keys(one.dependencies ?? {})) bundled(dependency);
  };
  for (const name of importedByPage()) bundled(name);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function importedByPage(): Set<string> {
  const folder = join(root, 'dashboards/live/src');
  const names = new Set<string>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, name] of text.matchAll(/(?:from|import) '((?:@[^/']+\/)?[^./'][^/']*)/g))
      if (name !== undefined) names.add(name);
  }
  return names;
}

/** The lines of LICENSES.md. */
export function table(all: readonly Licensed[]): string[] {
  return all.map(({ name, license, part }) => `| ${name} | ${license} | ${part} |`);
}
