/** The charts in a real browser, over a real monitor. */
import { readFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PeriodSeries } from '../../streams/period-series.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { CHROMIUM, launch, type Opened, openPage, overflowing, violations } from './browser.js';
import { type Served, serve, write } from './served.js';

const MINUTE = 60_000;
/** Two hours ago, whole minutes: what was written then does not move any more. */
const FROM = Math.floor(Date.now() / (5 * MINUTE)) * 5 * MINUTE - 120 * MINUTE;
const ZOOM = `?from=${new Date(FROM).toISOString()}&to=${new Date(FROM + 30 * MINUTE).toISOString()}`;
const soon = { timeout: 15_000, interval: 50 };

let database: TestDatabase;
let served: Served;
let browser: Browser;
const opened: Opened[] = [];

async function open(query = '', options = {}): Promise<Page> {
  const one = await openPage(browser, served.url + query, options);
  opened.push(one);
  await one.page.locator('.chart canvas').nth(3).waitFor();
  return one.page;
}

const slider = (page: Page, id: string): Locator => page.locator(`.chart-${id}`).getByRole('slider');
const spoken = (page: Page, id: string) => slider(page, id).getAttribute('aria-valuetext');
const series = async (query: string): Promise<PeriodSeries> =>
  (await (await fetch(new URL(`api/monitoring/series/${query}`, served.url))).json()) as PeriodSeries;

describe.skipIf(CHROMIUM === undefined)('the charts', () => {
  beforeAll(async () => {
    database = await freshDatabase();
    const age = (minute: number) => (Date.now() - FROM) / 1_000 - minute * 60;
    await write(database.url, { age: age(0.5), duration: 40, count: 8 });
    await write(database.url, { age: age(0.6), duration: 900, status: 'failed', count: 2 });
    await write(database.url, { age: age(20.5), duration: null, status: 'skipped' });
    served = await serve(database.url);
    browser = await launch();
  });
  afterEach(async () => {
    for (const { page, faults, hosts, close } of opened.splice(0)) {
      expect.soft([page.url(), faults, [...hosts]]).toEqual([page.url(), [], [new URL(served.url).host]]);
      await close();
    }
  });
  afterAll(async () => {
    await browser?.close();
    await served?.kill();
    await database?.drop();
  });

  it('have the numbers of the API, and nothing looks different from zero', async () => {
    const page = await open(ZOOM);
    await slider(page, 'errors').focus();
    await page.keyboard.press('Home');
    expect(await spoken(page, 'throughput')).toContain('success: 8, error: 2, warning: 0, skipped: 0');
    expect(await spoken(page, 'errors')).toMatch(/Error rate: 20%$/);
    expect(await spoken(page, 'durations')).toMatch(/p50: 40ms, p95: 900ms, p99: 900ms$/);
    expect(await spoken(page, 'queue')).toMatch(/waiting: no data/);
    await page.keyboard.press('ArrowRight');
    expect(await spoken(page, 'throughput')).toContain('success: 0, error: 0');
    expect(await spoken(page, 'errors')).toMatch(/Error rate: no data$/);

    await page.getByText('As a table').click();
    const { points } = await series(ZOOM.replace('from', 'start_date').replace('to=', 'end_date='));
    const rows = page.locator('.points tbody tr');
    expect(await rows.count()).toBe(points.length);
    expect(await rows.first().locator('td').allInnerTexts()).toEqual([
      ...['8', '2', '0', '0', '0', '0', '20%', '40ms', '900ms', '900ms'],
      ...[expect.stringContaining('no data'), expect.stringContaining('no data')],
    ]);
    expect(await violations(page)).toEqual([]);
  });

  it('zoom into the period that the mouse was drawn over, and the address keeps it', async () => {
    const page = await open('?range=24h');
    const area = page.locator('.chart-queue .u-over');
    const box = await area.boundingBox();
    if (box === null) throw new Error('the chart is not there');
    const asked = page.waitForRequest((request) => request.url().includes('/series/?start_date'));
    await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 40, { steps: 4 });
    await page.mouse.up();
    const query = new URL((await asked).url()).searchParams;
    const address = new URL(page.url()).searchParams;
    expect([query.get('start_date'), query.get('end_date')]).toEqual([
      address.get('from'),
      address.get('to'),
    ]);
    const [from, to] = [Date.parse(address.get('from') ?? ''), Date.parse(address.get('to') ?? '')];
    // A quarter of a day, in whole steps.
    expect(Math.abs(to - from - 6 * 60 * MINUTE)).toBeLessThanOrEqual(15 * MINUTE);
    expect([from % (5 * MINUTE), to % (5 * MINUTE)]).toEqual([0, 0]);
    const end = Date.now() - 12 * 60 * MINUTE;
    expect(Math.abs(to - end)).toBeLessThanOrEqual(20 * MINUTE);

    await page.reload();
    await slider(page, 'queue').waitFor();
    expect(new URL(page.url()).searchParams.get('from')).toBe(address.get('from'));
    await page.goBack();
    await expect.poll(() => page.url(), soon).toContain('range=24h');
  });

  it('zoom by keys, and point at one moment together', async () => {
    const page = await open(ZOOM);
    await slider(page, 'throughput').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowRight');
    for (const id of ['throughput', 'errors', 'durations', 'queue'])
      expect([id, await slider(page, id).getAttribute('aria-valuenow')]).toEqual([id, '4']);
    await page.keyboard.press('Enter');
    const until = encodeURIComponent(new Date(FROM + 5 * MINUTE).toISOString()).replaceAll('%3A', ':');
    await expect.poll(() => page.url(), soon).toContain(`to=${until}`);
    await slider(page, 'errors').focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url(), soon).not.toContain('from=');
  });

  it('follow what happens, in the step that is not over', async () => {
    const page = await open('?range=1h');
    const newest = async () =>
      Number(
        /warning ([\d,.]+)/.exec(
          (await page.locator('.chart-throughput .legend').innerText()).replaceAll('\n', ' '),
        )?.[1],
      );
    const before = await newest();
    const { points } = await series('?points=400');
    expect(points.at(-1)?.partial).toBe(true);
    // Written again and again: a minute may end meanwhile, and a new step begins with nothing.
    const written = async () => {
      await write(database.url, { status: 'warning', count: 7 });
      return newest();
    };
    await expect.poll(written, { interval: 500, timeout: 30_000 }).toBeGreaterThan(before);
  });

  it('are files too: the curves, and the table by type', async () => {
    const page = await open(ZOOM);
    const file = async (name: string) => {
      const [given] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name }).click(),
      ]);
      return (await readFile(await given.path(), 'utf8')).replace(/\r\n$/, '').split('\r\n');
    };
    const [head, first, second] = await file('Save the curves as CSV');
    expect(head).toBe(
      '\uFEFFstart,end,partial,total_operations,success_count,error_count,warning_count,skipped_count,pending_count,' +
        'other_count,error_rate,duration_p50_ms,duration_p95_ms,duration_p99_ms,pending_max,export_queue_max',
    );
    const minute = (n: number) => new Date(FROM + n * MINUTE).toISOString();
    expect(first).toBe(`${minute(0)},${minute(1)},false,10,8,2,0,0,0,0,20,40,900,900,,`);
    expect(second).toBe(`${minute(1)},${minute(2)},false,0,0,0,0,0,0,0,,,,,,`);
    const types = await file('Save this table as CSV');
    expect(types.map((line) => line.split(',').slice(2, 6).join())).toEqual([
      'operation_type,total_operations,success_count,error_count',
      '*,11,8,2',
      'export_to_1c,11,8,2',
    ]);
  });

  it.each([400, 1920])('fit into %i px, in the dark and in Russian', async (width) => {
    const options = { viewport: { width, height: 900 }, colorScheme: 'dark', locale: 'ru-RU' };
    const page = await open('?range=24h', options);
    expect(await page.locator('.chart h3').first().innerText()).toBe('Операций в минуту');
    expect(await overflowing(page)).toEqual([]);
    expect(await violations(page)).toEqual([]);
  });
});
