import { expect, test } from 'vitest';
import { Journal } from '../../src/alerts/journal.js';
import { noticeOf } from './notices.js';

/** A database that is away. */
const away = { query: () => Promise.reject(new Error('connection refused')) };

test('what waits for the database is bounded: what is over goes first, the oldest first, and is counted', async () => {
  const journal = new Journal(away, 'public.t');
  for (let n = 0; n < 10; n++) journal.notice(noticeOf(`pending-${n}`, 'firing'));
  for (let n = 0; n < 5_000; n++) journal.notice(noticeOf(`done-${n}`, 'firing', { outcome: 'delivered' }));
  expect(journal.lost).toBe(10);
  await expect(journal.flush()).rejects.toThrow('connection refused');
  expect(journal.dirty).toBe(true);
});

test('what could not be written is written later, newer states over older ones', async () => {
  const written: { states?: object; notices: { id: string; attempts: number }[] }[] = [];
  let fails = 2;
  const journal = new Journal(
    {
      query: async (_, values) => {
        if (fails-- > 0) throw new Error('not now');
        written.push(JSON.parse(String(values?.[1])));
        return [];
      },
    },
    'public.t',
  );
  const one = noticeOf('one', 'firing');
  journal.states({});
  journal.notice(one);
  const first = journal.flush();
  // Comes while the first is being written, which then fails.
  one.attempts = 1;
  journal.notice(one);
  journal.notice(noticeOf('two', 'firing'));
  await expect(first).rejects.toThrow('not now');
  await expect(journal.flush()).rejects.toThrow('not now');
  await journal.flush();
  expect(written).toHaveLength(1);
  expect(written[0]?.states).toEqual({});
  expect(written[0]?.notices.map(({ id, attempts }) => [id, attempts])).toEqual([
    ['one', 1],
    ['two', 0],
  ]);
  expect(journal.dirty).toBe(false);
  await journal.flush();
  expect(written).toHaveLength(1);
});

test('many who want it written at once share the next writing', async () => {
  let writings = 0;
  const waiting: (() => void)[] = [];
  const journal = new Journal(
    {
      query: () => {
        writings += 1;
        return new Promise((resolve) => waiting.push(() => resolve([])));
      },
    },
    'public.t',
  );
  journal.notice(noticeOf('one', 'firing'));
  const first = journal.flush();
  journal.notice(noticeOf('two', 'firing'));
  const others = Array.from({ length: 50 }, () => journal.flush());
  waiting.shift()?.();
  await first;
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  waiting.shift()?.();
  await Promise.all(others);
  expect(writings).toBe(2);
});

test('what PostgreSQL cannot hold in json is replaced', async () => {
  let text = '';
  const journal = new Journal(
    {
      query: async (_, values) => {
        text = String(values?.[1]);
        return [];
      },
    },
    'public.t',
  );
  journal.notice(noticeOf('one', 'firing', { reason: 'a\0b\ud800c💥' }));
  await journal.flush();
  expect(JSON.parse(text).notices[0].reason).toBe('a\ufffdb\ufffdc💥');
});
