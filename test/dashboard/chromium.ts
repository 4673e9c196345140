/** Debian's Chromium, for tests and benches. */
import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** Undefined where Debian's package is not installed (apt-get install chromium). */
export const CHROMIUM = pathOf('chromium');

function pathOf(command: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
  } catch {
    // The shell says with its exit code that there is none.
    return undefined;
  }
}

/** The sandbox of Chromium does not work for root, as in a container. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ ...(CHROMIUM && { executablePath: CHROMIUM }), args: ['--no-sandbox'] });
