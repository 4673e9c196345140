import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NoticeKind, noticeId } from '../../src/alerts/notice.js';
import { Outbox } from '../../src/alerts/outbox.js';
import { noticeOf } from './notices.js';

const DAY = 24 * 3_600_000;

function outbox(limit = 100) {
  const ended: string[] = [];
  const changed = new Set<string>();
  const box = new Outbox({
    limit,
    changed: ({ id }) => changed.add(id),
    ended: ({ id, outcome }) => ended.push(`${id} ${outcome}`),
  });
  return { box, ended, changed };
}

const loud = () => false;
const silent = () => true;

describe('which goes next', () => {
  test('the oldest first, and none overtakes another of its rule', () => {
    const { box } = outbox();
    box.add(noticeOf('1', 'firing', { nextAt: 50 }));
    box.add(noticeOf('2', 'resolved'));
    box.add(noticeOf('3', 'firing', { rule: 'other', alertId: 'b' }));
    box.add(noticeOf('4', 'firing', { receiver: 'chat' }));
    expect(box.next('ops', 10, loud)?.id).toBe('3');
    expect(box.next('ops', 50, loud)?.id).toBe('1');
    expect(box.next('chat', 0, loud)?.id).toBe('4');
    expect(box.next('nobody', 0, loud)).toBeNull();
  });

  test('and when', () => {
    const { box } = outbox();
    expect(box.nextTime('ops')).toBeNull();
    box.add(noticeOf('1', 'firing', { nextAt: 50 }));
    // Waits for the one before it: its own time says nothing.
    box.add(noticeOf('2', 'resolved', { nextAt: 0 }));
    expect(box.nextTime('ops')).toBe(50);
    box.add(noticeOf('3', 'firing', { rule: 'other', nextAt: 20 }));
    expect(box.nextTime('ops')).toBe(20);
  });

  test.each([
    [DAY, '1'],
    [DAY + 59_999, '1'],
    [DAY + 60_000, null],
  ])('at %i ms of age: %j', (now, expected) => {
    const { box, ended } = outbox();
    box.add(noticeOf('1', 'firing'));
    expect(box.next('ops', now, loud)?.id ?? null).toBe(expected);
    expect(ended).toEqual(expected === null ? ['1 given_up'] : []);
  });
});

// what is in the box, what silences and holds do to it: what ended
describe('what need not go', () => {
  test('a reminder gives way to the next one, and to the end', () => {
    const { box, ended } = outbox();
    box.add(noticeOf('1', 'firing'));
    box.add(noticeOf('2', 'reminder'));
    box.add(noticeOf('3', 'reminder'));
    box.add(noticeOf('4', 'reminder', { attempts: 1, alertId: 'b', rule: 'other' }));
    box.add(noticeOf('5', 'resolved'));
    expect(ended).toEqual(['2 superseded', '3 superseded']);
  });

  test('an alert nobody was told of ends untold, in whichever order it is found', () => {
    const before = outbox();
    before.box.add(noticeOf('1', 'firing'));
    expect(before.box.next('ops', 0, silent)).toBeNull();
    before.box.add(noticeOf('2', 'resolved'));
    expect(before.ended).toEqual(['1 silenced', '2 silenced']);

    const after = outbox();
    after.box.add(noticeOf('1', 'firing'));
    after.box.add(noticeOf('2', 'resolved'));
    after.box.add(noticeOf('3', 'firing', { alertId: 'b' }));
    expect(after.box.next('ops', 0, silent)).toBeNull();
    expect(after.ended).toEqual(['1 silenced', '2 silenced']);
    expect(after.box.size).toBe(1);
  });

  test('what was tried once is told to its end, silence or not', () => {
    const { box, ended } = outbox();
    box.add(noticeOf('1', 'firing', { attempts: 1 }));
    box.add(noticeOf('2', 'resolved'));
    expect(box.next('ops', 0, silent)?.id).toBe('1');
    expect(ended).toEqual([]);
  });

  test('a silence that ends lets it go, and its day begins then', () => {
    const { box } = outbox();
    const one = noticeOf('1', 'firing');
    box.add(one);
    expect(box.next('ops', 0, silent)).toBeNull();
    expect(one).toMatchObject({ held: 'silenced', nextAt: 5_000 });
    expect(box.next('ops', 2 * DAY, loud)?.id).toBe('1');
    expect(one).toMatchObject({ held: null, dueFrom: 2 * DAY });
  });

  test('adding a notice again is the same notice', () => {
    const { box, ended } = outbox(1);
    const one = noticeOf('1', 'firing');
    box.add(one);
    box.add(noticeOf('1', 'firing'));
    expect(box.size).toBe(1);
    box.end(one, 'delivered', 0);
    box.end(one, 'gone', 0);
    expect(ended).toEqual(['1 delivered']);
  });
});

test('whatever comes, nothing is lost uncounted, nothing overtakes, and the bound holds', () => {
  const event = fc.record({
    kind: fc.constantFrom<NoticeKind>('firing', 'resolved', 'reminder'),
    alert: fc.integer({ min: 0, max: 2 }),
    act: fc.constantFrom('add', 'deliver', 'fail', 'refuse', 'silence'),
    pause: fc.integer({ min: 0, max: 3_600_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const { box, ended, changed } = outbox(5);
      let now = 0;
      let added = 0;
      const order = new Map<string, number[]>();
      for (const { kind, alert, act, pause } of events) {
        now += pause;
        if (act === 'add') {
          added += 1;
          const about = { rule: `r${alert}`, alertId: `a${alert}`, dueFrom: now, nextAt: now };
          box.add(noticeOf(String(added), kind, about));
        } else {
          const next = box.next('ops', now, act === 'silence' ? silent : loud);
          if (!next || act === 'silence') continue;
          next.attempts += 1;
          if (act === 'deliver') {
            box.end(next, 'delivered', now);
            order.set(next.rule, [...(order.get(next.rule) ?? []), Number(next.id)]);
          } else box.failed(next, 'no', act === 'fail' ? now + 1_000 : null, now);
        }
        expect(box.size).toBeLessThanOrEqual(5);
      }
      expect(ended.length + box.size).toBe(added);
      expect(new Set(ended.map((one) => one.split(' ')[0])).size).toBe(ended.length);
      expect(changed.size).toBe(added);
      for (const ids of order.values()) expect(ids).toEqual([...ids].sort((a, b) => a - b));
    }),
    { numRuns: 500, verbose: 1 },
  );
});

test('the id of a notice is made of the monitor, the transition and the receiver, and of nothing else', () => {
  const transition = { id: 'r:1:firing', rule: 'r', kind: 'firing' } as const;
  const id = noticeId('public.t', transition, 'ops');
  expect(id).toMatch(/^r_firing_[0-9a-f]{24}$/);
  expect(noticeId('public.t', { ...transition }, 'ops')).toBe(id);
  const others = [
    noticeId('public.u', transition, 'ops'),
    noticeId('public.t', transition, 'chat'),
    noticeId('public.t', { ...transition, id: 'r:2:firing' }, 'ops'),
    // Not the same parts put together otherwise.
    noticeId('public.t', { ...transition, id: '","' }, 'x'),
    noticeId('public.t","', { ...transition, id: '' }, 'x'),
  ];
  expect(new Set([id, ...others]).size).toBe(6);
});
