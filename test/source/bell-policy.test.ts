import { describe, expect, test } from 'vitest';
import { type BellObservation, decideBell, QUEUE_LIMIT } from '../../src/source/bell-policy.js';

const NEVER = Number.NEGATIVE_INFINITY;
/** Quiet for a long time, everything in order. */
const IDLE: BellObservation = {
  now: 10_000,
  armed: false,
  usable: true,
  recentBells: 0,
  recentRows: 0,
  commitWaiters: 0,
  queueUsage: 0,
  backlog: false,
  contendedAt: NEVER,
  triedAt: NEVER,
};

type Case = readonly [what: string, seen: Partial<BellObservation>, action: string, reason: string];

describe('not armed: when to take the key', () => {
  const cases: Case[] = [
    // Idle: the next row shall ring.
    ['quiet', {}, 'arm', 'idle'],
    // Without trigger, proven listener or leadership an armed bell would wake nobody.
    ['the bell is not usable', { usable: false }, 'stay', 'the bell is not usable'],
    // Contention: the flushes are slow; armed, each commit would hold the lock over one. Calm for a second.
    ['a writer waits', { commitWaiters: 1 }, 'stay', 'contention less than 1 s ago'],
    ['contention 999 ms ago', { contendedAt: 9_001 }, 'stay', 'contention less than 1 s ago'],
    ['contention 1 s ago', { contendedAt: 9_000 }, 'arm', 'idle'],
    ['contention 1.001 s ago', { contendedAt: 8_999 }, 'arm', 'idle'],
    // A full queue fails writers at commit; ours must not be the drop.
    ['the queue below its limit', { queueUsage: QUEUE_LIMIT - 0.001 }, 'arm', 'idle'],
    ['the queue at its limit', { queueUsage: QUEUE_LIMIT }, 'arm', 'idle'],
    [
      'the queue above its limit',
      { queueUsage: QUEUE_LIMIT + 0.001 },
      'stay',
      'the notification queue is filling',
    ],
    // Rows are known to be there: nobody needs to announce them.
    ['a backlog', { backlog: true }, 'stay', 'a backlog is being read'],
    // Not armed and yet it rings: BELL=always elsewhere, or a forged flood.
    ['19 bells in 100 ms', { recentBells: 19 }, 'arm', 'idle'],
    ['20 bells in 100 ms', { recentBells: 20 }, 'stay', 'somebody else rings the bell'],
    ['21 bells in 100 ms', { recentBells: 21 }, 'stay', 'somebody else rings the bell'],
    // 100 rows/s are 25 in 250 ms; above that polling is as fresh and costs writers nothing.
    ['24 rows in 250 ms', { recentRows: 24 }, 'arm', 'idle'],
    ['25 rows in 250 ms', { recentRows: 25 }, 'stay', 'rows come faster than 100 per second'],
    ['26 rows in 250 ms', { recentRows: 26 }, 'stay', 'rows come faster than 100 per second'],
    // The try failed because a silent writer is at work; asking each 15 ms would not make it faster.
    ['tried 99 ms ago', { triedAt: 9_901 }, 'stay', 'a writer held the key a moment ago'],
    ['tried 100 ms ago', { triedAt: 9_900 }, 'arm', 'idle'],
    ['tried 101 ms ago', { triedAt: 9_899 }, 'arm', 'idle'],
  ];
  test.each(cases)('%s', (_, seen, action, reason) => {
    expect(decideBell({ ...IDLE, ...seen })).toEqual({
      action,
      reason,
      contended: (seen.commitWaiters ?? 0) > 0,
    });
  });
});

describe('armed: when to let the key go', () => {
  const cases: Case[] = [
    ['quiet', {}, 'stay', 'idle'],
    ['the bell is not usable any more', { usable: false }, 'disarm', 'the bell is not usable'],
    ['a writer waits', { commitWaiters: 1 }, 'disarm', 'writers wait for the commit lock of NOTIFY'],
    ['the queue at its limit', { queueUsage: QUEUE_LIMIT }, 'stay', 'idle'],
    [
      'the queue above its limit',
      { queueUsage: QUEUE_LIMIT + 0.001 },
      'disarm',
      'the notification queue is filling',
    ],
    ['19 bells in 100 ms', { recentBells: 19 }, 'stay', 'idle'],
    ['20 bells in 100 ms', { recentBells: 20 }, 'disarm', 'more than one bell each 5 ms'],
    ['21 bells in 100 ms', { recentBells: 21 }, 'disarm', 'more than one bell each 5 ms'],
    ['a backlog', { backlog: true }, 'disarm', 'a backlog is being read'],
    // One statement with many rows rings once: no reason to let go, and so no flapping around an import.
    ['many rows, few bells', { recentRows: 100_000 }, 'stay', 'idle'],
    // What keeps from arming does not disarm: it is past.
    ['contention a moment ago', { contendedAt: 9_999 }, 'stay', 'idle'],
    ['armed a moment ago', { triedAt: 9_999 }, 'stay', 'idle'],
  ];
  test.each(cases)('%s', (_, seen, action, reason) => {
    expect(decideBell({ ...IDLE, armed: true, ...seen })).toEqual({
      action,
      reason,
      contended: (seen.commitWaiters ?? 0) > 0,
    });
  });
});
