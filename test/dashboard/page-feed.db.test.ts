/** The event feed in a real browser, over a real monitor. */

import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { CHROMIUM, launch, type Opened, openPage, violations } from './browser.js';
import { type Served, serve, type Written, write } from './served.js';

let database: TestDatabase;
let served: Served;
let browser: Browser;
const opened: Opened[] = [];

const rowsOf = (page: Page) => page.locator('.rows li');
/** The texts of a column, in the order in which they are seen. */
const column = (page: Page, name: string): Promise<string[]> =>
  page.evaluate((of) => {
    const items = [...document.querySelectorAll<HTMLElement>('.rows li')];
    items.sort((a, b) => Number(a.ariaPosInSet) - Number(b.ariaPosInSet));
    return items.map((item) => item.querySelector(`.c-${of}`)?.textContent ?? '');
  }, name);

async function open(query = '', options = {}): Promise<Opened> {
  const one = await openPage(browser, served.url + query, options);
  opened.push(one);
  await one.page.locator('.foot', { hasNotText: 'Reading' }).waitFor();
  return one;
}
const insert = (row: Written) => write(database.url, row);
const pause = (page: Page) => page.getByRole('button', { name: 'Pause', exact: true });
const soon = { timeout: 15_000, interval: 50 };

describe.skipIf(CHROMIUM === undefined)('the feed', () => {
  beforeAll(async () => {
    database = await freshDatabase();
    served = await serve(database.url);
    browser = await launch();
  });
  afterEach(async () => {
    for (const { page, faults, close } of opened.splice(0)) {
      expect.soft([page.url(), faults]).toEqual([page.url(), []]);
      await close();
    }
    await ask(database.url, 'DELETE FROM customer_sync_logs');
  });
  afterAll(async () => {
    await browser?.close();
    await served?.kill();
    await database?.drop();
  });

  it('shows a row within a second, follows its status, and holds each row once', async () => {
    await insert({ customer: 1, age: 60 });
    const { page } = await open();
    expect(await column(page, 'customer')).toEqual(['1']);
    const id = await insert({ customer: 2, status: 'pending' });
    await expect.poll(() => column(page, 'customer'), soon).toEqual(['2', '1']);
    await ask(database.url, `UPDATE customer_sync_logs SET status = 'error' WHERE id = ${id}`);
    await expect.poll(() => column(page, 'status'), soon).toEqual(['error', 'success']);
    expect(await page.locator('.rows .status-word').first().getAttribute('title')).toBe('was: pending');
  });

  it('puts nothing of a row in as HTML', async () => {
    const error = '<img src=x onerror="console.error(1)"><b>bold</b>';
    const type = '<i>type</i>';
    await insert({ error, type, status: '<s>', correlation: '<u>c</u>' });
    const { page } = await open();
    expect(await column(page, 'message')).toEqual([error]);
    await rowsOf(page).getByRole('button').click();
    await page.locator('.timeline li').waitFor();
    expect(await page.locator('.details :is(img, b, i, s, u)').count()).toBe(0);
    expect(await page.locator('.fields').textContent()).toContain(error);
  });

  it('filters by type, status, customer, correlation id and text, and the address keeps it', async () => {
    await insert({
      type: 'created',
      status: 'error',
      customer: 7,
      correlation: 'c-7',
      error: 'No Answer of 1C',
    });
    await insert({ type: 'created', status: 'failed', customer: 8, error: 'Истёк срок' });
    await insert({ type: 'updated', status: 'success', customer: 7 });
    const { page } = await open();
    await expect.poll(() => rowsOf(page).count(), soon).toBe(3);
    await page.getByLabel('Text in errors').fill('no answer');
    await expect.poll(() => column(page, 'customer'), soon).toEqual(['7']);
    await page.getByLabel('Text in errors').fill('');
    await page.locator('.choice summary', { hasText: 'Type' }).click();
    await page.getByLabel('Created', { exact: true }).check();
    await expect.poll(() => column(page, 'customer'), soon).toEqual(['8', '7']);
    await page.keyboard.press('Escape');
    await page.getByLabel('Customer id', { exact: true }).fill('7');
    await page.getByLabel('Customer id', { exact: true }).press('Enter');
    await expect.poll(() => rowsOf(page).count(), soon).toBe(1);
    expect(new URL(page.url()).search).toBe('?type=created&customer=7');

    await page.reload();
    await expect.poll(() => column(page, 'status'), soon).toEqual(['error']);
    const other = await open(new URL(page.url()).search);
    expect(await column(other.page, 'status')).toEqual(['error']);
    expect(await other.page.getByLabel('Customer id', { exact: true }).inputValue()).toBe('7');
    // What comes live passes the same filter.
    await insert({ type: 'updated', customer: 7 });
    await insert({ type: 'created', customer: 7, status: 'warning' });
    await expect.poll(() => column(other.page, 'status'), soon).toEqual(['warning', 'error']);
    await other.page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => rowsOf(other.page).count(), soon).toBe(5);
    expect(new URL(other.page.url()).search).toBe('');
  });

  it('says what is wrong with a customer id, and does not ask for it', async () => {
    const { page } = await open();
    await page.getByLabel('Customer id', { exact: true }).fill('7x');
    await page.getByText('A customer id has digits only.').waitFor();
    await page.getByLabel('Customer id', { exact: true }).press('Enter');
    expect(new URL(page.url()).search).toBe('');
  });

  it('stands still while it is paused, counts what comes, and shows it afterwards', async () => {
    await insert({ customer: 1 });
    const { page } = await open();
    await pause(page).click();
    await insert({ customer: 2, count: 3 });
    await expect.poll(() => page.locator('.paused').textContent(), soon).toBe('Paused 3 new');
    expect(await column(page, 'customer')).toEqual(['1']);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => column(page, 'customer'), soon).toEqual(['2', '2', '2', '1']);
  });

  it('opens a row by keyboard, with everything of its correlation id, and gives the focus back', async () => {
    await insert({ type: 'import_from_1c', correlation: 'c-1', age: 90, customer: 1 });
    await insert({ type: 'sync_changes', correlation: 'c-1', age: 60, customer: 2 });
    await insert({ type: 'created', correlation: 'c-2', age: 50, customer: 3 });
    const last = await insert({
      type: 'export_to_1c',
      correlation: 'c-1',
      status: 'error',
      customer: 4,
      error: 'late',
    });
    const { page } = await open();
    await rowsOf(page).first().getByRole('button').focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'Home']) await page.keyboard.press(key);
    await page.locator('.paused').waitFor();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: `Event ${last}` });
    await expect
      .poll(() => dialog.locator('.timeline .c-type').allTextContents(), soon)
      .toEqual(['Import from 1C', 'Change sync', 'Export to 1C']);
    const [first, second] = await dialog.locator('.timeline .c-offset').allTextContents();
    expect([first, second]).toEqual(['+0ms', expect.stringMatching(/^\+3\d(\.\d+)?s$/)]);
    expect(await dialog.locator('.fields').textContent()).toContain('late');
    expect(await violations(page)).toEqual([]);
    for (let tabs = 0; tabs < 15; tabs++) {
      await page.keyboard.press('Tab');
      // Between the last and the first the browser's own controls have their turn.
      const inside = () => document.activeElement?.closest('dialog, body')?.tagName;
      const at = await page.evaluate(inside);
      if (at !== 'DIALOG') expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
    }
    await dialog.locator('.timeline button').first().click();
    await page
      .getByRole('dialog', { name: /^Event \d+$/ })
      .getByText('this event')
      .waitFor({ state: 'attached' });
    expect(new URL(page.url()).searchParams.get('open')).not.toBe(last);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(new URL(page.url()).search).toBe('');
    expect(await page.evaluate(() => document.activeElement?.closest('.rows li')?.ariaPosInSet)).toBe('1');

    // What was open is open for whoever is sent the address.
    const other = await open(`?open=${last}`);
    await other.page.getByRole('dialog').getByRole('button', { name: 'Show only these in the feed' }).click();
    await expect.poll(() => column(other.page, 'customer'), soon).toEqual(['4', '2', '1']);
  });

  it('says that a row is not there', async () => {
    const { page } = await open('?open=123456789');
    await page.getByRole('dialog').getByText('not in the table').waitFor();
  });

  it('reads back to the oldest row, with few of them in the document', async () => {
    await insert({ count: 750, age: 60 });
    const { page } = await open();
    const held = () => page.locator('.feed .controls .quiet').first().textContent();
    await expect.poll(held, soon).toBe('Rows: 100');
    for (const next of ['200', '300', '400', '500', '600', '700', '750']) {
      await page.getByRole('button', { name: 'Older events' }).click();
      await expect.poll(held, soon).toBe(`Rows: ${next}`);
      await insert({ type: 'created' });
    }
    await page.getByText('This is the oldest event.').waitFor();
    await expect.poll(() => page.locator('.paused').textContent(), soon).toBe('Paused 7 new');
    expect(await rowsOf(page).count()).toBeLessThan(60);
    await rowsOf(page).first().getByRole('button').focus();
    await page.keyboard.press('End');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.closest('li')?.ariaPosInSet), soon)
      .toBe('750');
    expect(await rowsOf(page).count()).toBeLessThan(60);
  });

  it('keeps few rows in the document while thousands stream by', async () => {
    const { page } = await open();
    await page.evaluate(() => {
      const seen = { most: 0 };
      const count = () => {
        seen.most = Math.max(seen.most, document.querySelectorAll('.rows li').length);
      };
      new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
      Object.assign(window, { seen });
    });
    for (let batch = 0; batch < 10; batch++) await insert({ count: 600, customer: batch });
    const held = () => page.locator('.feed .controls .quiet').first().textContent();
    await expect.poll(held, soon).toBe('Rows: 2,000');
    await expect.poll(async () => (await column(page, 'customer'))[0], soon).toBe('9');
    const most = await page.evaluate(() => (window as unknown as { seen: { most: number } }).seen.most);
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThan(60);
    // What gave way is read again.
    await page.getByRole('button', { name: 'Older events' }).click();
    await expect.poll(held, soon).toBe('Rows: 2,100');
  });

  it('gives its rows as CSV', async () => {
    const id = await insert({ error: '=HYPERLINK("x")', status: 'error', customer: 5 });
    const { page } = await open();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('.feed').getByRole('button', { name: 'CSV' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^events-\d{4}-\d\d-\d\dT\d{6}Z\.csv$/);
    const [, line] = (await readFile(await file.path(), 'utf8')).split('\r\n');
    expect(line).toMatch(new RegExp(`^${id},[^,]+Z,export_to_1c,error,120,5,,,,"'=HYPERLINK\\(""x""\\)",`));
  });
});
