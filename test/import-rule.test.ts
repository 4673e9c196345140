import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Biome runs over a scratch project with our biome.json: a rule that is merely written down proves nothing. */
const root = resolve(import.meta.dirname, '..');

/** Lints one file per (folder, imported) pair in one run and gives back the diagnostics of each pair's file. */
function lint(pairs: readonly (readonly [string, string])[]): string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'csm-rule-'));
  try {
    for (const file of ['biome.json', '.gitignore']) cpSync(join(root, file), join(scratch, file));
    execFileSync('git', ['init', '-q'], { cwd: scratch });
    const files = pairs.map(([folder], n) => join(folder, `probe${n}.ts`));
    for (const [n, [, imported]] of pairs.entries()) {
      const file = join(scratch, files[n] ?? '');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `import { thing } from '${imported}';\n\nexport const other = thing;\n`);
    }
    const run = spawnSync(
      join(root, 'node_modules', '.bin', 'biome'),
      ['lint', '--colors=off', '--max-diagnostics=none', '--reporter=github', '.'],
      { cwd: scratch, encoding: 'utf8' },
    );
    const lines = run.stdout.split('\n').filter((line) => line.startsWith('::'));
    expect(run.status, run.stderr).toBe(lines.length > 0 ? 1 : 0);
    return files.map((file) => lines.filter((line) => line.includes(`/${file},`)).join('\n'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const FOLDERS = ['source', 'history', 'http', 'alerts', 'health', 'celery', 'doctor', 'cli'];

describe('the import rule', () => {
  it('keeps the folders of src apart from each other and from what wires them', () => {
    const pairs = FOLDERS.flatMap((folder) =>
      [...FOLDERS.filter((name) => name !== folder), 'app.js', 'config.js', '../test']
        .map((other) => (other.endsWith('.js') ? `../${other}` : `../${other}/x.js`))
        .map((imported) => [`src/${folder}`, imported] as const),
    );
    for (const [n, diagnostics] of lint(pairs).entries()) {
      const [folder, imported] = pairs[n] ?? [];
      expect(diagnostics, `${imported} in ${folder}`).toContain('noRestrictedImports');
    }
  });

  it('lets a folder import streams, libraries and itself', () => {
    const pairs = FOLDERS.flatMap((folder) =>
      ['../../streams/event.js', './y.js', 'pg', 'node:fs'].map((name) => [`src/${folder}`, name] as const),
    );
    expect(lint(pairs).join('')).toBe('');
  });

  it('keeps streams pure', () => {
    const pairs = [
      'node:fs',
      'fs',
      'pg',
      'ws',
      'ws/lib/x.js',
      'pino',
      'hdr-histogram-js',
      '../src/log.js',
      '../src/source/x.js',
    ].map((imported) => ['streams', imported] as const);
    for (const [n, diagnostics] of lint(pairs).entries()) {
      expect(diagnostics, pairs[n]?.[1]).toMatch(/noRestrictedImports|noNodejsModules/);
    }
  });

  it('lets streams import what it is made of, and the top of src everything', () => {
    const own = ['rxjs', 'rxjs/operators', './event.js'];
    const pairs = [
      ...own.map((name) => ['streams', name] as const),
      ...['./source/x.js', './http/x.js', '../streams/event.js'].map((name) => ['src', name] as const),
    ];
    expect(lint(pairs).join('')).toBe('');
  });
});
