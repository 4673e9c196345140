/** The built page in Chromium under traffic in virtual time: real pipeline, hub and server over rows made here. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { loadPage } from '../../src/http/static.js';
import type { SyncRow } from '../../streams/event.js';
import { serving } from '../http/serving.js';
import { type HandDrivenView, row, START } from '../http/view.js';

export const ROWS_PER_SECOND = 1_000;
/** Four snapshots a second. */
const STEP_MS = 250;
const TYPES = [
  'import_from_1c',
  'export_to_1c',
  'sync_changes',
  'customer_identification',
  'conflict_resolution',
  'data_validation',
  'batch_operation',
];
const STATUSES = ['success', 'success', 'success', 'success', 'error', 'warning', 'skipped'];

/** What Chromium says of the page. */
export interface PageUse {
  /** After a collection. */
  readonly heapBytes: number;
  readonly nodes: number;
  readonly listeners: number;
  /** Of one core, since the page was opened. */
  readonly scriptSeconds: number;
  readonly taskSeconds: number;
}

export interface PageUnderTraffic {
  readonly page: Page;
  readonly view: HandDrivenView;
  /** Lets so many seconds of traffic pass, `speed` times as fast as the clock. */
  feed(seconds: number, speed: number): Promise<void>;
  use(): Promise<PageUse>;
  /** Of the hub: what the page was too slow for. */
  dropped(): { readonly events: number; readonly snapshots: number };
}

/** For `endServing` of test/http/serving.ts to end. `fastest`: how fast `feed` may be asked to be. */
export async function openUnderTraffic(browser: Browser, fastest: number): Promise<PageUnderTraffic> {
  const { view, hub, server } = await serving({
    page: await loadPage(resolve('dist/dashboards/live')),
    live: { snapshotIntervalMs: Math.floor(STEP_MS / fastest) },
  });
  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await page.goto(server.url);
  await page.locator('.foot:not(:has-text("…"))').waitFor({ state: 'attached' });
  let made = 0;
  let now = START;
  const step = (): void => {
    view.fold(
      Array.from({ length: (ROWS_PER_SECOND * STEP_MS) / 1000 }, () => {
        made += 1;
        return rowOf(made, now);
      }),
    );
    now += STEP_MS;
    view.tick(STEP_MS);
  };
  return {
    page,
    view,
    async feed(seconds, speed) {
      const began = performance.now();
      const steps = (seconds * 1000) / STEP_MS;
      for (let done = 0; done < steps; done++) {
        step();
        const ahead = ((done + 1) * STEP_MS) / speed - (performance.now() - began);
        // Not in one turn, however late it is: the hub has to send.
        await sleep(Math.max(0, ahead));
      }
    },
    async use() {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
      return {
        heapBytes: of('JSHeapUsedSize'),
        nodes: of('Nodes'),
        listeners: of('JSEventListeners'),
        scriptSeconds: of('ScriptDuration'),
        taskSeconds: of('TaskDuration'),
      };
    },
    dropped() {
      const { droppedEvents, skippedSnapshots } = hub.stats();
      return { events: droppedEvents, snapshots: skippedSnapshots };
    },
  };
}

function rowOf(n: number, createdAt: number): SyncRow {
  const status = STATUSES[n % STATUSES.length] as string; // within
  return row({
    operationType: TYPES[n % TYPES.length] as string, // within
    status,
    createdAt,
    customerId: (n * 7_919) % 50_000,
    customerEmail: `customer${n}@example.com`,
    correlationId: `run-${Math.floor(n / 20)}`,
    durationMs: Math.round(Math.exp(4 + 2 * Math.sin(n))),
    errorMessage:
      status === 'error' ? `1C does not answer: attempt ${n % 7} of customer${n}@example.com` : null,
  });
}
