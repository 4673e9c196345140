import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

const DOCUMENTS = ['README.md', 'README.ru.md', 'dashboards/README.md', 'dashboards/API.md'];

/** As GitHub makes them of headings. */
function anchorsOf(file: string): Set<string> {
  const text = read(file).replace(/^```[\s\S]*?^```/gm, '');
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading ?? '');
  return new Set(
    headings.map((one) =>
      one
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

it.each(DOCUMENTS)('has no link in %s that leads nowhere', (file) => {
  const links = [...read(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
  const faults = links.flatMap(([link, path = '', anchor]) => {
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(resolve(root, target))) return [`${link}: there is no ${target}`];
    if (anchor === undefined || anchorsOf(target).has(anchor)) return [];
    return [`${link}: ${target} has no such heading`];
  });
  expect(faults).toEqual([]);
});

it('tells of every row of the dashboards, and of every alert of Prometheus', () => {
  const told = read('dashboards/README.md');
  const folder = resolve(root, 'dashboards/grafana');
  const files = readdirSync(folder).filter((file) => /^customer-sync-.*\.json$/.test(file));
  expect(files).toHaveLength(6);
  for (const file of files) expect(told, file).toContain(`(grafana/${file})`);
  const rows = files
    .filter((file) => !file.endsWith('.ru.json'))
    .flatMap((file) => {
      const { panels } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        panels: { type: string; title: string }[];
      };
      return panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    });
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((title) => !told.includes(`**${title}**`))).toEqual([]);
  const alerts = [...read('dashboards/prometheus/rules/alerts.yml').matchAll(/- alert: (\w+)/g)];
  expect(alerts.length).toBeGreaterThan(20);
  expect(alerts.filter(([, name]) => !told.includes(`\`${name}\``)).map(([, name]) => name)).toEqual([]);
});
