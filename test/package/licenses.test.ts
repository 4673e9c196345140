import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ALLOWED, licensed, table } from './licenses.js';

const FILE = resolve(import.meta.dirname, '..', '..', 'LICENSES.md');

it('lists in LICENSES.md all that is shipped or installed (UPDATE_LICENSES=1 writes it anew)', () => {
  const [head = '', rows = ''] = readFileSync(FILE, 'utf8').split(/(?<=\|---\|---\|---\|\n)/);
  const expected = table(licensed());
  if (process.env.UPDATE_LICENSES === '1') writeFileSync(FILE, `${head}${expected.join('\n')}\n`);
  else expect(rows.trim().split('\n')).toEqual(expected);
});

it('depends on nothing under a licence that asks for more than to be named', () => {
  const refused = licensed().filter(
    ({ license }) => !license.split(/[()\s]+|\bAND\b/).every((one) => one === '' || ALLOWED.has(one)),
  );
  expect(refused).toEqual([]);
});
