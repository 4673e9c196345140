/** Signing in and out in a real browser, and what a page of others can do with its cookies: nothing. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { CHROMIUM, launch, type Opened, openPage, violations } from './browser.js';
import { type Served, serve } from './served.js';

const ADMIN = 'admin-token-of-the-test';
const VIEWER = 'viewer-token-of-the-test';

let database: TestDatabase;
let served: Served;
let browser: Browser;
const opened: Opened[] = [];

async function open(query = '', locale = 'en-GB'): Promise<Opened> {
  const one = await openPage(browser, served.url + query, { locale });
  opened.push(one);
  return one;
}

async function signIn({ page }: Opened, token: string): Promise<void> {
  await page.locator('input[name=token]').fill(token);
  await page.locator('button').click();
}

describe.skipIf(CHROMIUM === undefined)('signing in', () => {
  beforeAll(async () => {
    database = await freshDatabase();
    served = await serve(database.url, { AUTH_TOKEN: ADMIN, VIEWER_TOKEN: VIEWER });
    browser = await launch();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  afterAll(async () => {
    await browser?.close();
    await served?.kill();
    await database?.drop();
  });

  it('asks for the token once, keeps the view, and holds nothing that a script could take', async () => {
    const one = await open('?range=24h&lang=ru', 'ru-RU');
    const { page, received } = one;
    expect(await page.locator('html').getAttribute('lang')).toBe('ru');
    expect(await violations(page)).toEqual([]);
    await signIn(one, 'a-wrong-token');
    expect(await page.locator('[role=alert]').textContent()).toBe('Такой токен неизвестен.');
    expect(await violations(page)).toEqual([]);
    await signIn(one, VIEWER);
    await page.locator('.signed-in').waitFor();
    expect(page.url()).toBe(`${served.url}?range=24h&lang=ru`);
    expect(await page.locator('.signed-in').textContent()).toContain('наблюдатель');
    await expect.poll(() => received.some((frame) => frame.startsWith('{"type":"snapshot"'))).toBe(true);
    expect(
      await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'),
    ).toBe('{}');
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
    expect(cookie?.value).not.toContain(VIEWER);
    // Reloaded it is still signed in.
    await page.reload();
    await page.locator('.signed-in').waitFor();
  });

  it('ends on request, in other tabs too, and with the monitor that began it', async () => {
    const one = await open();
    await signIn(one, ADMIN);
    await one.page.locator('.signed-in').waitFor();
    const tab = await one.page.context().newPage();
    await tab.goto(served.url);
    await tab.locator('.signed-in a').click();
    await tab.locator('button').click();
    await tab.locator('input[name=token]').waitFor();
    await one.page.locator('input[name=token]').waitFor();

    await signIn(one, ADMIN);
    await one.page.locator('.signed-in').waitFor();
    await served.kill();
    await served.start();
    await one.page.locator('input[name=token]').waitFor();
  });

  it('is of no use to a page of others', async () => {
    const one = await open();
    await signIn(one, ADMIN);
    await one.page.locator('.signed-in').waitFor();
    const others = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>others</title>');
    });
    others.listen(0, '127.0.0.1');
    await once(others, 'listening');
    const { port } = others.address() as AddressInfo;
    try {
      // The same site, so that SameSite keeps nothing back, and another one.
      for (const host of ['127.0.0.1', 'localhost']) {
        const page = await one.page.context().newPage();
        await page.goto(`http://${host}:${port}/`);
        const outcome = await page.evaluate(async (monitor) => {
          const socket = new WebSocket(`${monitor.replace('http', 'ws')}ws`);
          const live = await new Promise((settle) => {
            socket.onmessage = () => settle('a message');
            socket.onclose = () => settle('closed');
          });
          const tried = (path: string, init: RequestInit) =>
            fetch(monitor + path, { credentials: 'include', ...init }).then(
              (response) => `${response.type} ${response.status}`,
              () => 'failed',
            );
          const silence = JSON.stringify({ rule: '*', ends_at: '2099-01-01T00:00:00Z', reason: 'others' });
          return {
            live,
            read: await tried('api/events/', {}),
            silence: await tried('api/silences/', { method: 'POST', body: silence }),
            blind: await tried('api/silences/', { method: 'POST', body: silence, mode: 'no-cors' }),
            out: await tried('sign-out', { method: 'POST', mode: 'no-cors' }),
          };
        }, served.url);
        expect(outcome).toMatchObject({ live: 'closed', read: 'failed', silence: 'failed' });
        // Neither could it be shown inside that page.
        await page.setContent(`<iframe src="${served.url}"></iframe>`);
        await expect.poll(() => page.frames().at(-1)?.url()).toMatch(/^chrome-error:/);
        await page.close();
      }
      const { silences } = await one.page.evaluate(async () => (await fetch('api/silences/')).json());
      expect(silences).toEqual([]);
      await one.page.reload();
      await one.page.locator('.signed-in').waitFor();
    } finally {
      others.close();
    }
  });
});
