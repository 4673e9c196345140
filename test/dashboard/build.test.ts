/** The page as Vite builds it: what it weighs, and that nothing in it leads elsewhere or needs a laxer policy. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadPage, type Page } from '../../src/http/static.js';

const folder = mkdtempSync(join(tmpdir(), 'csm-page-'));
let page: Page;

beforeAll(async () => {
  const args = ['build', 'dashboards/live', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'];
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(resolve('node_modules/.bin/vite'), args, { env, stdio: 'pipe' });
  page = await loadPage(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const textOf = (path: string): string => Buffer.from(page.get(path)?.body ?? []).toString();

it('weighs at most 80 kB compressed, all of it together', () => {
  const files = [...page].filter(([path]) => path !== '/');
  const bytes = files.reduce((sum, [, { encoded, body }]) => sum + (encoded.gzip ?? body).byteLength, 0);
  expect(files.length).toBeGreaterThan(2);
  expect(bytes).toBeLessThanOrEqual(80_000);
});

it('names only files that exist, below whatever path it is served', () => {
  const links = [...textOf('/').matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(2);
  for (const link of links) {
    expect(link).toMatch(/^\.\/assets\//);
    expect([link, page.get(link.slice(1))?.immutable]).toEqual([link, true]);
  }
});

it('asks no other host, and brings neither inline script nor inline style', () => {
  const html = textOf('/');
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=/);
  const known = /http:\/\/www\.w3\.org\/(?:2000\/svg|1998\/Math\/MathML|1999\/xhtml)/g;
  for (const path of page.keys()) expect(textOf(path).replaceAll(known, '')).not.toMatch(/https?:\/\/[\w.]/);
});
