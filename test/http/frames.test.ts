import { describe, expect, it } from 'vitest';
import { EventFlush, SnapshotFrame } from '../../src/http/frames.js';
import { createFilter } from '../../src/http/subscription.js';
import type { FeedEvent } from '../../streams/event.js';
import { COMPLETE, HandDrivenView, row } from './view.js';
import { payloadOf } from './wire.js';

function events(statuses: readonly string[]): readonly FeedEvent[] {
  const view = new HandDrivenView();
  view.fold(statuses.map((status) => row({ status })));
  const replay = view.replay({ epoch: view.epoch, seq: 0 });
  return 'events' in replay ? replay.events : [];
}

const seqs = (frame: Buffer): number[] =>
  JSON.parse(payloadOf(frame)).events.map((event: FeedEvent) => event.seq);

describe('the chunks of a flush', () => {
  const flush = new EventFlush('e', events(['success', 'error', 'success', 'error', 'error']));
  const errors = createFilter({ statuses: ['error'] });

  it('are cut by filter, and shared by equal filters', () => {
    const [chunk] = flush.chunksFor(errors);
    expect(chunk && seqs(chunk.frame(3, 0))).toEqual([2, 4, 5]);
    expect(flush.chunksFor(createFilter({ statuses: ['error'] }))[0]).toBe(chunk);
    expect(flush.chunksFor(undefined)[0]).not.toBe(chunk);
    expect(flush.chunksFor(createFilter({ statuses: ['other'] }))).toEqual([]);
  });

  it.each([
    [0, 3, [2, 4, 5]],
    [1, 3, [2, 4, 5]],
    [2, 2, [4, 5]],
    [3, 2, [4, 5]],
    [4, 1, [5]],
    [5, 0, []],
    [9, 0, []],
  ])('hold for a client at %i the last %i', (seq, count, expected) => {
    const [chunk] = flush.chunksFor(errors);
    expect(chunk?.countAfter(seq)).toBe(count);
    if (count > 0) expect(chunk && seqs(chunk.frame(count, 7))).toEqual(expected);
  });

  it('are the very same bytes for all who lost nothing', () => {
    const [chunk] = flush.chunksFor(undefined);
    expect(chunk?.frame(5, 0)).toBe(chunk?.frame(5, 0));
    expect(JSON.parse(payloadOf(chunk?.frame(5, 2))).dropped).toBe(2);
  });
});

describe('a filter', () => {
  it('that says nothing is none', () => {
    expect(createFilter(undefined)).toBeUndefined();
    expect(createFilter({})).toBeUndefined();
  });

  it('is the same in any order', () => {
    const one = createFilter({ statuses: ['a', 'b'], customer_id: 7 });
    expect(createFilter({ customer_id: '7', statuses: ['b', 'a'] })?.key).toBe(one?.key);
    expect(createFilter({ operation_types: ['a', 'b'], customer_id: 7 })?.key).not.toBe(one?.key);
  });
});

describe('the snapshot frame', () => {
  it('counts what changed, and has always the newest time', () => {
    const view = new HandDrivenView();
    const frame = new SnapshotFrame();
    expect(frame.bytes()).toBeNull();
    const take = (): { seq: number; at: string; lag_ms: number | null } => {
      const snapshot = view.latest();
      if (snapshot !== null) frame.update(snapshot);
      return JSON.parse(payloadOf(frame.bytes()));
    };
    view.tick();
    const first = take();
    expect(first.seq).toBe(1);
    expect(frame.bytes()).toBe(frame.bytes());
    view.tick(10, COMPLETE, 40);
    expect(take()).toMatchObject({ seq: 1, lag_ms: 40 });
    view.tick(0, COMPLETE, null);
    expect(take().seq).toBe(2);
    view.tick(1_000, COMPLETE, null);
    const last = take();
    expect(last.seq).toBe(3);
    expect(Date.parse(last.at) - Date.parse(first.at)).toBe(1_010);
  });
});
