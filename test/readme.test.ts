import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { describeSetting, type Key } from '../src/config.js';
import { SETTINGS } from '../src/config-table.js';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(resolve(root, path), 'utf8');

it('lists every setting as src/config.ts declares it', () => {
  const rows = (Object.keys(SETTINGS) as Key[]).map((key) => {
    const { standard, range, help } = describeSetting(key);
    return `| \`${key}\` | ${standard === '' ? '' : `\`${standard}\``} | ${range} | ${help} |`;
  });
  const [, table] =
    /<!-- settings:[^\n]*\n[^\n]*\n[^\n]*\n([\s\S]*?)<!-- \/settings -->/.exec(read('README.md')) ?? [];
  expect(table?.trim().split('\n')).toEqual(rows);
});

it('has its test command called by .ci/run, word for word', () => {
  const commands = [...read('README.md').matchAll(/```\n(npm ci && .*)\n```/g)].map((match) => match[1]);
  expect(commands).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  expect(read('.ci/run').trim().split('\n').at(-1)).toBe(commands[1]);
});
