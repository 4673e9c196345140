/** Traffic for longer than any buffer of the page holds: what it keeps and shows stays bounded. `npm run bench page` has the hour. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endServing } from '../http/serving.js';
import { CHROMIUM, launch } from './chromium.js';
import { openUnderTraffic } from './page-traffic.js';

const MINUTE = 60;
const SPEED = 30;

describe.skipIf(CHROMIUM === undefined)('the page under 1,000 rows a second', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(endServing);
  afterAll(() => browser?.close());

  it('holds no more after 13 minutes than after 6, and shows the newest numbers', async () => {
    const { page, view, feed, use } = await openUnderTraffic(browser, SPEED);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    // The five-minute window and the feed are full then.
    await feed(6 * MINUTE, SPEED);
    const full = await use();
    await feed(7 * MINUTE, SPEED);
    const later = await use();
    expect(later.heapBytes).toBeLessThan(1.25 * full.heapBytes);
    expect(later.nodes).toBeLessThan(1.25 * full.nodes);
    expect(later.listeners).toBeLessThan(1.25 * full.listeners);
    const shown = view.latest()?.windows['1h'].total_operations ?? 0;
    expect(shown).toBeGreaterThan(13 * MINUTE * 900);
    await page.getByText(shown.toLocaleString('en-GB')).first().waitFor();
    expect(faults).toEqual([]);
  }, 180_000);
});
