import { expect, it } from 'vitest';
import { pauseAfter, silenceMs } from '../../dashboards/live/src/reconnect.js';
import { LIVE_LIMITS } from '../../src/http/limits.js';

it('tries again soon, then ever less often, and never later than ten seconds', () => {
  const longest = Array.from({ length: 2_000 }, (_, failures) => pauseAfter(failures, 1));
  expect(longest.slice(0, 7)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000]);
  expect(longest.at(-1)).toBe(10_000);
});

it('spreads the tries over half of the pause', () => {
  for (const failures of [0, 3, 50]) {
    expect(pauseAfter(failures, 0)).toBe(pauseAfter(failures, 1) / 2);
    expect(pauseAfter(failures, 0.5)).toBe(pauseAfter(failures, 1) * 0.75);
  }
});

it('waits longer than the monitor may be silent', () => {
  expect(silenceMs(LIVE_LIMITS.heartbeatMs)).toBeGreaterThan(
    LIVE_LIMITS.heartbeatMs + LIVE_LIMITS.sweepMs + 1_000,
  );
});
