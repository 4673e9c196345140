import { describe, expect, test } from 'vitest';
import { Bells } from '../../src/source/bells.js';
import type { Look } from '../../src/source/look.js';

const LOOK: Look = {
  now: 0,
  holders: new Set(),
  commitWaiters: 0,
  keyHolder: 0,
  queueUsage: 0,
  epoch: 'e',
  s: 0,
  leaves: [],
  trigger: 'O',
  tookMs: 1,
};

/** Set to auto, its trigger seen, nothing else known. */
function working(): Bells {
  const bells = new Bells('auto');
  bells.saw(LOOK, 0);
  return bells;
}

const READY = { now: 10_000, armed: false, leading: true, listenerProven: true, backlog: false };

describe('how often it rings', () => {
  test('counts over the last 50 to 100 ms, in two slots', () => {
    const bells = new Bells('auto');
    for (const at of [1_000, 1_049]) bells.rang(at); // slot 20
    expect(bells.recent(1_049)).toBe(2);
    bells.rang(1_050); // slot 21
    expect(bells.recent(1_099)).toBe(3);
    expect(bells.recent(1_100)).toBe(1); // slot 20 is past
    expect(bells.recent(1_150)).toBe(0);
    expect(bells.heard).toBe(3);
  });

  test('after a long silence both slots are empty', () => {
    const bells = new Bells('auto');
    bells.rang(1_000);
    bells.rang(9_000);
    expect(bells.recent(9_000)).toBe(1);
  });

  test('20 are a storm, 19 are not', () => {
    const bells = new Bells('auto');
    for (let i = 0; i < 19; i++) bells.rang(1_000 + i);
    expect(bells.storm(1_020)).toBe(false);
    bells.rang(1_020);
    expect(bells.storm(1_020)).toBe(true);
    expect(bells.storm(1_200)).toBe(false);
  });

  test('notifications of somebody else are only counted: they keep from arming and change nothing more', () => {
    const bells = working();
    for (let i = 0; i < 30; i++) bells.rang(10_000);
    expect(bells.decide(READY)).toMatchObject({ action: 'stay', reason: 'somebody else rings the bell' });
    expect(bells.deadBecause(10_000, true)).toBeUndefined();
    expect(bells.decide({ ...READY, now: 10_200 })).toMatchObject({ action: 'arm' });
  });
});

describe('rows that it did not announce', () => {
  const SILENT = 'rows arrived that it did not announce (replica role, or written straight into a partition)';

  test('make it dead after the grace of 300 ms, not before, and for a minute', () => {
    const bells = working();
    bells.read(1, true, 1_000);
    bells.read(0, false, 1_299);
    expect(bells.deadBecause(1_299, true)).toBeUndefined();
    bells.read(0, false, 1_300);
    expect(bells.deadBecause(1_300, true)).toBe(SILENT);
    expect(bells.decide({ ...READY, now: 1_300 })).toMatchObject({ reason: 'the bell is not usable' });
    expect(bells.deadBecause(61_299, true)).toBe(SILENT);
    // Then it gets another chance: the role or the partition may have been a single case.
    expect(bells.deadBecause(61_300, true)).toBeUndefined();
  });

  test('are no fault when the notification comes a little after the poll that met its row', () => {
    const bells = working();
    bells.read(1, true, 1_000);
    bells.rang(1_100);
    bells.read(0, false, 1_400);
    expect(bells.deadBecause(1_400, true)).toBeUndefined();
  });

  test('are judged from the first of them, however many follow', () => {
    const bells = working();
    for (let at = 1_000; at <= 1_300; at += 100) bells.read(1, true, at);
    expect(bells.deadBecause(1_300, true)).toBe(SILENT);
  });

  test('mean nothing while the key was not held: writers were told to be silent', () => {
    const bells = working();
    bells.read(100, false, 1_000);
    bells.read(0, true, 2_000); // held, but no row
    expect(bells.deadBecause(2_000, true)).toBeUndefined();
  });
});

describe('why it is dead', () => {
  test.each([
    ['there', 'O', true, undefined],
    ['enabled always', 'A', true, undefined],
    ['absent', null, true, 'its trigger is not on the table'],
    ['disabled', 'D', true, 'its trigger is disabled'],
    // Fires for replicated rows only, which is nobody's INSERT.
    ['for the replica role', 'R', true, 'its trigger is disabled'],
    ['there, the listener deaf', 'O', false, 'the listener has not proven that it hears'],
  ] as const)('trigger %s', (_, trigger, proven, reason) => {
    const bells = new Bells('auto');
    bells.saw({ ...LOOK, trigger }, 0);
    expect(bells.deadBecause(0, proven)).toBe(reason);
    expect(bells.mode(0, false, proven, 'idle')).toEqual(
      reason === undefined ? { mode: 'disarmed', reason: 'idle' } : { mode: 'dead', reason },
    );
  });

  test('before the first look nobody has seen the trigger', () => {
    expect(new Bells('auto').deadBecause(0, true)).toBe('its trigger is not on the table');
  });

  test('what is off cannot be dead, and says why it is off', () => {
    const bells = new Bells('off', 'the role may not install it');
    expect(bells.deadBecause(0, false)).toBeUndefined();
    expect(bells.mode(0, false, false, 'idle')).toEqual({
      mode: 'off',
      reason: 'the role may not install it',
    });
    expect(bells.decide(READY)).toMatchObject({ action: 'stay', reason: 'the bell is not usable' });
    const late = working();
    late.turnOff('gone');
    expect([late.setting, late.mode(0, false, true, 'idle')]).toEqual([
      'off',
      { mode: 'off', reason: 'gone' },
    ]);
  });
});

describe('what decides', () => {
  test('only the leader arms, and only with a proven listener', () => {
    expect(working().decide(READY).action).toBe('arm');
    expect(working().decide({ ...READY, leading: false }).action).toBe('stay');
    expect(working().decide({ ...READY, listenerProven: false }).action).toBe('stay');
  });

  test('BELL=always never takes the key: the trigger rings without it', () => {
    const bells = new Bells('always');
    bells.saw(LOOK, 0);
    expect(bells.decide(READY).action).toBe('stay');
    expect(bells.mode(0, false, true, 'x')).toEqual({ mode: 'armed', reason: 'BELL=always' });
  });

  test('what one look saw of waiting writers counts once, and keeps calm for a second', () => {
    const bells = working();
    bells.saw({ ...LOOK, commitWaiters: 2, queueUsage: 0.5 }, 10_000);
    expect(bells.queueUsage).toBe(0.5);
    bells.saw({ ...LOOK, commitWaiters: 2 }, 10_000);
    expect(bells.decide({ ...READY, armed: true })).toMatchObject({ action: 'disarm', contended: true });
    expect(bells.decide({ ...READY, now: 10_999 })).toMatchObject({ action: 'stay', contended: false });
    expect(bells.decide({ ...READY, now: 11_000 })).toMatchObject({ action: 'arm' });
  });

  test('rows count for 250 ms', () => {
    const bells = working();
    bells.read(25, false, 10_000);
    expect(bells.decide({ ...READY, now: 10_250 }).reason).toBe('rows come faster than 100 per second');
    expect(bells.decide({ ...READY, now: 10_251 }).action).toBe('arm');
  });

  test('after a failed try it waits 100 ms', () => {
    const bells = working();
    bells.tried(10_000);
    expect(bells.decide({ ...READY, now: 10_099 }).reason).toBe('a writer held the key a moment ago');
    expect(bells.decide({ ...READY, now: 10_100 }).action).toBe('arm');
  });

  test('armed and calm it stays so', () => {
    expect(working().decide({ ...READY, armed: true })).toMatchObject({ action: 'stay', reason: 'idle' });
    expect(working().mode(0, true, true, 'idle')).toEqual({ mode: 'armed', reason: 'idle' });
  });
});
