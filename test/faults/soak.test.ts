import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { built } from '../setup/build.js';
import { byLength } from './length.js';

/** The widest window fills in the first day; it is the days after it that have to cost nothing. */
const FULL_HOURS = 26;
const HOURS = FULL_HOURS + byLength(2 * 24, 4 * 24);
const STEP_MS = byLength(15_000, 1_000);

test(
  `${HOURS - FULL_HOURS} h with every window full, in virtual time: memory is flat`,
  async () => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [
        '--expose-gc',
        new URL('soak.mjs', import.meta.url).pathname,
        built(''),
        String(HOURS),
        String(STEP_MS),
      ],
      { maxBuffer: 1e6 },
    );
    const heap = stdout.trim().split('\n').map(Number);
    expect(heap).toHaveLength(HOURS);
    // Whole days: the windows hold more of a busy hour than of a quiet one.
    const first = Math.max(...heap.slice(FULL_HOURS, FULL_HOURS + 24));
    const last = Math.max(...heap.slice(-24));
    console.log(
      `heap ${(first / 1e6).toFixed(1)} MB, ${HOURS - FULL_HOURS} h later ${(last / 1e6).toFixed(1)} MB; ${stderr.trim()}`,
    );
    expect(last).toBeLessThan(1.05 * first);
  },
  byLength(120_000, 1_800_000),
);
