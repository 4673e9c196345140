import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { describeSetting, flagOf, type Key } from '../src/config.js';
import { SETTINGS } from '../src/config-table.js';
import { run } from '../src/main.js';

const KEYS = Object.keys(SETTINGS) as Key[];

async function start(args: string[]) {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const { signal } = new AbortController();
  const host = { print, note: print, signal, colours: false, env: {}, folder: tmpdir() };
  const code = await run(args, host);
  return { code, text: lines.join('\n') };
}

it('shows every setting in the help of serve, as the table declares it', async () => {
  const { code, text } = await start(['serve', '--help']);
  expect(code).toBe(0);
  const words = text.replace(/\s+/g, ' ');
  for (const key of KEYS) {
    const { standard, range, help } = describeSetting(key);
    const rest = standard === '' ? '' : `, default ${standard}`;
    expect(words).toContain(`${flagOf(key)} <value> ${help} (${key}: ${range}${rest})`);
  }
});

it('takes every setting as a flag', async () => {
  const flags = KEYS.flatMap((key) => [flagOf(key), '\u0001']);
  const { code, text } = await start(['serve', ...flags]);
  expect(code).toBe(2);
  for (const key of KEYS)
    expect(text).toMatch(new RegExp(`^ {2}${key} is .*from the flag ${flagOf(key)}\\)`, 'm'));
});
