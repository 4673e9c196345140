/** The page in a real Chromium, with an account of what it complained of and whom it asked. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { CHROMIUM, launch } from './chromium.js';

export { CHROMIUM, launch };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions. */
  readonly faults: string[];
  /** Hosts that were asked for anything. */
  readonly hosts: Set<string>;
  /** Messages of the WebSocket as they came, newest last, at most the last hundred. */
  readonly received: string[];
  close(): Promise<void>;
}

/** Everybody's own context: no storage, cookies or history of another. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'Europe/Moscow',
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  // Not as a script of the page, which its policy would not allow.
  await context.addInitScript({ content: AXE });
  const page = await context.newPage();
  const faults: string[] = [];
  const hosts = new Set<string>();
  const received: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  page.on('websocket', (socket) => {
    hosts.add(new URL(socket.url()).host);
    socket.on('framereceived', ({ payload }) => {
      received.push(String(payload));
      if (received.length > 100) received.shift();
    });
  });
  await page.goto(url);
  return { page, faults, hosts, received, close: () => context.close() };
}

/** What axe-core finds against WCAG 2.2 AA and good practice: rule, and where. */
export async function violations(page: Page): Promise<string[]> {
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: RunOptions) => Promise<AxeResults> } };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
    }));
  });
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id} ${node}`));
}

/** What makes the page wider than its window: the first few of the outermost elements. */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = document.documentElement.scrollWidth;
    if (wide <= width) return [];
    const nameOf = (element: Element) =>
      [element.tagName.toLowerCase(), element.id && `#${element.id}`, ...element.classList].join('.');
    const beyond = [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => `${nameOf(element.parentElement ?? element)} > ${nameOf(element)}`);
    return [`${wide} px`, ...new Set(beyond)].slice(0, 8);
  });
}
