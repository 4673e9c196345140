/** The whole page in a real browser, over a real monitor: its numbers, its connection, its looks. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatOf } from '../../dashboards/live/src/format.js';
import type { SnapshotMessage } from '../../dashboards/live/src/messages.js';
import type { OperationMetrics } from '../../streams/snapshot.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { CHROMIUM, launch, type Opened, openPage, overflowing, violations } from './browser.js';
import { type Served, serve, type Written, write } from './served.js';

/** Where screenshots are put to be looked at; none without it. */
const { PAGE_SHOTS } = process.env;

const soon = { timeout: 20_000, interval: 50 };
let database: TestDatabase;
let served: Served;
let browser: Browser;
const opened: Opened[] = [];

async function open(query = '', options = {}): Promise<Opened> {
  const one = await openPage(browser, served.url + query, options);
  opened.push(one);
  await one.page.locator('.foot:not(:has-text("…"))').waitFor({ state: 'attached' });
  return one;
}
const insert = (row: Written) => write(database.url, row);

const text = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().textContent())?.trim() ?? '';
/** The big numbers by name, without their units. */
const tiles = (page: Page): Promise<Record<string, string>> =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.tile')].map((tile) => [
        tile.querySelector('dt')?.firstChild?.textContent ?? '',
        [...(tile.querySelector('.big')?.childNodes ?? [])]
          .filter(({ nodeName }) => nodeName !== 'SMALL')
          .map(({ textContent }) => textContent)
          .join(''),
      ]),
    ),
  );

function newestSnapshot({ received }: Opened): SnapshotMessage {
  const frame = received.findLast((one) => one.startsWith('{"type":"snapshot"'));
  if (frame === undefined) throw new Error('no snapshot came');
  return JSON.parse(frame) as SnapshotMessage;
}

async function shot(page: Page, name: string, fullPage = true): Promise<void> {
  if (PAGE_SHOTS === undefined) return;
  await mkdir(PAGE_SHOTS, { recursive: true });
  await page.screenshot({ path: join(PAGE_SHOTS, `${name}.png`), fullPage });
}

describe.skipIf(CHROMIUM === undefined)('the page', () => {
  beforeAll(async () => {
    database = await freshDatabase();
    await insert({ count: 40, duration: 80, age: 200, customer: 1, correlation: 'c-1' });
    await insert({
      count: 3,
      status: 'error',
      duration: 2_345,
      age: 100,
      error: 'no answer of 1C within 30 s',
    });
    await insert({ type: 'import_from_1c', count: 10, duration: 700, age: 1_000, customer: 2 });
    await insert({ type: 'sync_changes', status: 'pending', duration: null, age: 30, correlation: 'c-1' });
    await insert({ type: 'conflict_resolution', status: 'warning', age: 50, correlation: 'c-2' });
    await insert({
      ...{ type: 'customer_identification', status: 'error', duration: 61_000, age: 20, correlation: 'c-2' },
      error:
        'ConnectionTimeout: https://1c.example.com/api/customers/ did not answer within 30 s, attempt 3 of 3',
    });
    served = await serve(database.url);
    browser = await launch();
  });
  afterEach(async () => {
    for (const { page, faults, hosts, close } of opened.splice(0)) {
      expect.soft([page.url(), faults]).toEqual([page.url(), []]);
      expect.soft([...hosts]).toEqual([new URL(served.url).host]);
      await close();
    }
  });
  afterAll(async () => {
    await browser?.close();
    await served?.kill();
    await database?.drop();
  });

  it('shows the numbers that the API has for the same period', async () => {
    const one = await open();
    const { page } = one;
    await expect.poll(async () => (await tiles(page)).Operations, soon).toBe('56');
    const { count, percent, millis, number } = formatOf('en-GB');
    // The window slides while this is asked for: until the page was read between two snapshots.
    const api = await vi.waitFor(async () => {
      const { windows, queue } = newestSnapshot(one);
      const { period_start, period_end } = windows['1h'];
      const period = new URLSearchParams({ start_date: period_start, end_date: period_end });
      const answer = await fetch(`${served.url}api/monitoring/operations/?${period}`);
      const numbers = (await answer.json()) as OperationMetrics;
      expect(await tiles(page)).toMatchObject({
        Operations: count(numbers.total_operations),
        'Error rate': percent(numbers.error_rate ?? Number.NaN),
        'Duration p95': millis(numbers.duration_p95_ms ?? Number.NaN),
        Throughput: number(numbers.throughput_per_minute),
        Pending: count(queue.pending_operations),
      });
      return { ...numbers, pending: queue.pending_operations };
    }, soon);
    expect([api.total_operations, api.error_count, api.pending]).toEqual([56, 4, 1]);
    const table = await page.locator('.types tbody tr').allTextContents();
    expect(table).toHaveLength(Object.keys(api.by_type).length);
    for (const [type, numbers] of Object.entries(api.by_type)) {
      const line = table.find((row) => row.includes(type));
      expect(line).toContain(`${type}${count(numbers.total_operations)}${count(numbers.error_count)}`);
    }
  });

  it('moves its tiles and its feed with a row that is written', async () => {
    const { page } = await open();
    await expect.poll(async () => (await tiles(page)).Operations, soon).toBe('56');
    await insert({ type: 'created', status: 'failed', customer: 4_711, duration: 9_000 });
    await expect.poll(async () => (await tiles(page)).Operations, soon).toBe('57');
    await expect.poll(() => text(page, '.rows li[aria-posinset="1"] .c-customer'), soon).toBe('4711');
    expect((await tiles(page))['Error rate']).toBe(formatOf('en-GB').percent(8.77));
  });

  it('says that the monitor is gone, and goes on without a reload when it is back', async () => {
    const { page, faults } = await open();
    await page.evaluate(() => Object.assign(window, { stillTheSame: true }));
    await insert({ type: 'created', customer: 4_710 });
    await page.locator('.rows li', { hasText: '4710' }).waitFor();
    await page.locator('.facts', { hasText: 'Connectionlive' }).waitFor();
    await served.kill();
    await page.locator('.facts', { hasText: 'lost for' }).waitFor();
    await page.locator('.status[data-level="bad"]', { hasText: 'No connection' }).waitFor();
    await shot(page, 'lost');
    expect(await violations(page)).toEqual([]);
    await insert({ type: 'created', customer: 4_712 });
    await served.start();
    await page.locator('.facts', { hasText: 'Connectionlive' }).waitFor();
    await page.locator('.rows li', { hasText: '4712' }).waitFor();
    await page.locator('.feed .notice', { hasText: 'so the list was read anew' }).waitFor();
    await insert({ type: 'created', customer: 4_713 });
    await page.locator('.rows li', { hasText: '4713' }).waitFor();
    const [rows] = await ask(database.url, 'SELECT count(*)::text AS count FROM customer_sync_logs');
    await expect.poll(async () => (await tiles(page)).Operations, soon).toBe(rows?.count);
    expect(await page.evaluate(() => 'stillTheSame' in window)).toBe(true);
    // The browser itself tells of every try that failed, and of the answers of a monitor that is not ready yet.
    const refused = /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection|503/;
    expect(faults.filter((fault) => !refused.test(fault))).toEqual([]);
    faults.length = 0;
  });

  it('speaks the language of the browser, until another is chosen', async () => {
    const { page } = await open('', { locale: 'ru-RU' });
    await expect.poll(async () => (await tiles(page)).Операции, soon).toMatch(/^\d+$/);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ru');
    await page.getByRole('button', { name: 'EN' }).click();
    await expect.poll(async () => (await tiles(page)).Operations, soon).toMatch(/^\d+$/);
    await page.reload();
    await page.getByRole('heading', { name: 'Customer sync' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
  });

  it('has every word in both languages', async () => {
    const { page } = await open('?lang=ru&range=24h');
    await expect.poll(async () => (await tiles(page)).Операции, soon).toMatch(/^\d+$/);
    const english = await page.evaluate(() => {
      const found: string[] = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const { parentElement, textContent } = walker.currentNode;
        // What the monitor says itself, rows, and names of rules are in one language only.
        if (parentElement?.closest('[lang="en"], code, noscript, .rows li, .status li, .alerts')) continue;
        if (/[a-z]{3}/i.test(textContent ?? '') && !/[а-я]/i.test(textContent ?? '')) {
          found.push(textContent?.trim() ?? '');
        }
      }
      return found;
    });
    const same = /^(Correlation id|CSV|Redis|Celery)$/;
    expect(english.filter((word) => !same.test(word))).toEqual([]);
  });

  describe.each(['light', 'dark'] as const)('in %s colours', (theme) => {
    it.each([400, 768, 1280, 1920])('fits %i px, and axe-core finds nothing', async (width) => {
      const { page } = await open(`?theme=${theme}&lang=${width === 1280 ? 'en' : 'ru'}`, {
        viewport: { width, height: 900 },
        reducedMotion: 'reduce',
      });
      await page.locator('.rows li').first().waitFor();
      await page.locator('.types tbody tr').first().waitFor();
      await shot(page, `${width}-${theme}`);
      expect(await overflowing(page)).toEqual([]);
      expect(await violations(page)).toEqual([]);
      await page.locator('.rows li button', { hasText: 'ConnectionTimeout' }).click();
      await page.locator('.timeline li').first().waitFor();
      await shot(page, `${width}-${theme}-details`, false);
      expect(await overflowing(page)).toEqual([]);
      expect(await violations(page)).toEqual([]);
    });
  });

  it('follows the colours of the system where none are chosen', async () => {
    const ground = async (colorScheme: 'light' | 'dark') => {
      const { page } = await open('', { colorScheme });
      return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    };
    expect(await ground('light')).not.toBe(await ground('dark'));
  });

  it('has nothing to operate on the wall, and fits', async () => {
    const { page } = await open('?kiosk', { viewport: { width: 1920, height: 1080 } });
    await page.locator('.types tbody tr').first().waitFor();
    await shot(page, 'kiosk');
    expect(await page.locator('.filters').isVisible()).toBe(false);
    expect(await overflowing(page)).toEqual([]);
    expect(await violations(page)).toEqual([]);
  });

  it('has its first numbers with the answer to its first message, and waits for no request', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/api/**', () => undefined); // never answered
    const said: string[] = [];
    const typeOf = (frame: string | Buffer) => (JSON.parse(String(frame)) as { type: string }).type;
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => said.push(`sent ${typeOf(payload)}`));
      socket.on('framereceived', ({ payload }) => said.push(typeOf(payload)));
    });
    await page.goto(served.url);
    await expect.poll(async () => (await tiles(page)).Operations, soon).toMatch(/^\d+$/);
    const before = said.slice(0, said.indexOf('snapshot'));
    await context.close();
    expect(before.filter((one) => one.startsWith('sent'))).toEqual(['sent subscribe']);
  });

  it('weighs at most 80 kB as it is loaded', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    const paths: string[] = [];
    const ofPage = new Set<string>();
    session.on('Network.responseReceived', ({ requestId, response }) => {
      const { pathname } = new URL(response.url);
      if (pathname !== '/' && !pathname.startsWith('/assets/')) return;
      ofPage.add(requestId);
      paths.push(pathname);
    });
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (ofPage.has(requestId)) bytes += encodedDataLength;
    });
    await page.goto(served.url);
    await page.locator('.tile').first().waitFor();
    await context.close();
    expect(paths).toContain('/');
    expect(paths.filter((path) => path.endsWith('.js'))).not.toEqual([]);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(80_000);
  });
});
