// Makes dashboards/screenshot.png: `npm run screenshot`, after a build. The demo runs in a folder of its own until there
// is something to see.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const RUN_MS = Number(process.env.SCREENSHOT_AFTER_SECONDS ?? 150) * 1000;
const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'csm-screenshot-'));
const demo = spawn(process.execPath, [at('dist/bin/sync-monitor.js'), 'demo'], {
  cwd: folder,
  env: { PATH: process.env.PATH, PORT: '0', HOUR_COST: '20' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  let url;
  for await (const chunk of demo.stdout) {
    url = /Open (http:\S+)/.exec(String(chunk))?.[1];
    if (url) break;
  }
  await sleep(RUN_MS);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const page = await browser.newPage({
    viewport: { width: 1440, height: 1000 },
    colorScheme: 'light',
    locale: 'en-GB',
  });
  await page.goto(`${url}?range=5m`);
  await page.waitForSelector('tbody tr');
  await sleep(3_000);
  await page.screenshot({ path: at('dashboards/screenshot.png') });
  await browser.close();
} finally {
  demo.kill('SIGTERM');
  await once(demo, 'exit');
  await rm(folder, { recursive: true, force: true });
}
