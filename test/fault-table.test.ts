import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(resolve(root, path), 'utf8');
const suiteOf = (path: string) =>
  [`test/${path}.test.ts`, `test/${path}.db.test.ts`].find((file) => existsSync(resolve(root, file)));

it('names in the README every suite of faults, and test:faults runs all that it names', () => {
  const [, section = ''] = /### Under faults\n([\s\S]*?)\n## /.exec(read('README.md')) ?? [];
  const named = new Set(
    [...section.matchAll(/^\|.*\| (`[^|]+`) \|$/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    ),
  );
  named.delete('test/');
  expect([...named].filter((name) => suiteOf(name) === undefined)).toEqual([]);
  const own = readdirSync(resolve(root, 'test/faults')).filter((file) => file.endsWith('.test.ts'));
  const suites = own.map((file) => `faults/${file.replace('.test.ts', '')}`);
  expect(suites.filter((name) => !named.has(name))).toEqual([]);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const filters = (scripts['test:faults'] ?? '').split(' ').filter((word) => word.startsWith('test/'));
  expect([...named].filter((name) => !filters.some((filter) => `test/${name}`.startsWith(filter)))).toEqual(
    [],
  );
  const others = filters.filter((filter) => filter !== 'test/faults/');
  expect(others.filter((filter) => !named.has(filter.replace('test/', '')))).toEqual([]);
});
