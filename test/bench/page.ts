/** The live page in Chromium: what 1,000 rows and four snapshots a second cost it, and what an hour of them leaves. */
import type { Browser } from 'playwright-core';
import { CHROMIUM, launch } from '../dashboard/chromium.js';
import { openUnderTraffic, ROWS_PER_SECOND } from '../dashboard/page-traffic.js';
import { endServing } from '../http/serving.js';
import type { BenchOptions, BenchResult } from './result.js';

export const name = 'page';

const MOST_SCRIPTING = 0.2;
const MOST_GROWTH = 1.25;
const SPEED = 20;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  if (CHROMIUM === undefined) throw new Error("there is no Chromium; Debian's package chromium brings it");
  const browser = await launch();
  try {
    const scripting = await share(browser, quick ? 5 : 60);
    const hour = await anHour(browser, quick ? 120 : 3_600);
    const growth = hour.last.heapBytes / hour.first.heapBytes;
    const nodes = hour.last.nodes / hour.first.nodes;
    return {
      name,
      target: `scripting below ${MOST_SCRIPTING * 100} % of a core at ${ROWS_PER_SECOND} rows and 4 snapshots a second; heap and nodes after an hour at most ${MOST_GROWTH} of those after its first tenth`,
      pass: scripting.script < MOST_SCRIPTING && growth <= MOST_GROWTH && nodes <= MOST_GROWTH,
      ratio: growth,
      lines: [
        `scripting ${percent(scripting.script)} of a core, all of the page's main thread ${percent(scripting.task)}; without traffic ${percent(scripting.idle)}`,
        `heap ${megabytes(hour.first.heapBytes)} after a tenth, ${megabytes(hour.last.heapBytes)} after ${hour.seconds} s of traffic: ${growth.toFixed(2)}`,
        `nodes ${hour.first.nodes}, then ${hour.last.nodes}; listeners ${hour.first.listeners}, then ${hour.last.listeners}`,
        `at ${SPEED} times the speed the hub dropped ${hour.dropped.events} of ${hour.rows} events and skipped ${hour.dropped.snapshots} snapshots`,
      ],
      data: { scripting, hour },
    };
  } finally {
    await browser.close();
  }
}

/** Shares of one core at the speed of the clock, and with a page that only waits. */
async function share(browser: Browser, seconds: number) {
  const { page, feed, use } = await openUnderTraffic(browser, 1);
  await feed(seconds / 4, 1);
  const before = await use();
  const began = performance.now();
  await feed(seconds, 1);
  const elapsed = (performance.now() - began) / 1000;
  const after = await use();
  const rested = performance.now();
  await new Promise((wake) => setTimeout(wake, (seconds / 4) * 1000));
  const idle = await use();
  await page.close();
  await endServing();
  return {
    script: (after.scriptSeconds - before.scriptSeconds) / elapsed,
    task: (after.taskSeconds - before.taskSeconds) / elapsed,
    idle: (idle.scriptSeconds - after.scriptSeconds) / ((performance.now() - rested) / 1000),
  };
}

async function anHour(browser: Browser, seconds: number) {
  const { page, feed, use, dropped } = await openUnderTraffic(browser, SPEED);
  await feed(seconds / 10, SPEED);
  const first = await use();
  await feed((seconds * 9) / 10, SPEED);
  const last = await use();
  const result = { seconds, rows: seconds * ROWS_PER_SECOND, first, last, dropped: dropped() };
  await page.close();
  await endServing();
  return result;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
