/** The viewers of bench `fanout`, a process of their own that `fanout.ts` starts and asks over its channel. */
import { FanoutClient } from './fanout-client.js';

export type Order =
  /** Connects so many, each told at once, and waits until each has its first snapshot. */
  | { readonly do: 'open'; readonly port: number; readonly count: number; readonly events: number }
  /** Connects so many that subscribe to both and then read nothing. */
  | { readonly do: 'open deaf'; readonly port: number; readonly count: number }
  | { readonly do: 'measure'; readonly ms: number; readonly record: boolean }
  /** All readers go without a word and come back in the same moment. */
  | { readonly do: 'reconnect' }
  | { readonly do: 'close' };

export interface Measured {
  readonly messages: number;
  readonly bytes: number;
  /** Of the snapshots, from the moment they are of; ms. */
  readonly p50: number;
  readonly p99: number;
  /** Readers that lost their connection. */
  readonly lost: number;
  /** What one reader of both got, in order. */
  readonly record: readonly { readonly atMs: number; readonly text: string }[];
}

export interface Opened {
  readonly ms: number;
  /** Attempts beyond the first of each. */
  readonly again: number;
}

const MOST_DELAY_MS = 60_000;
const SIDE_BY_SIDE = 200;

const readers: FanoutClient[] = [];
let deaf: FanoutClient[] = [];
let port = 0;
let withEvents = 0;
let delays = new Uint32Array(MOST_DELAY_MS + 1);
let tally = { messages: 0, bytes: 0, lost: 0 };
let record: { atMs: number; text: string }[] | null = null;
let lastAt = '';
let lastAtMs = 0;

function count(head: string, bytes: number, whole: Buffer | undefined): void {
  tally.messages += 1;
  tally.bytes += bytes;
  if (record !== null && whole !== undefined)
    record.push({ atMs: performance.now(), text: whole.toString() });
  if (!head.startsWith('{"type":"snapshot"')) return;
  const from = head.indexOf('"at":"') + 6;
  const at = head.slice(from, from + 24);
  if (at !== lastAt) {
    lastAt = at;
    lastAtMs = Date.parse(at);
  }
  const delay = Math.min(MOST_DELAY_MS, Math.max(0, Date.now() - lastAtMs));
  delays[delay] = (delays[delay] ?? 0) + 1;
}

/** Until the reader has its first snapshot; connects again when that is refused. */
function openReader(index: number, onAgain: () => void): Promise<void> {
  const both = index < withEvents;
  return new Promise((ready) => {
    let first = true;
    readers[index] = new FanoutClient(
      { port, topics: both ? ['snapshot', 'events'] : ['snapshot'], keeps: index === 0 },
      {
        message(head, bytes, whole) {
          if (first && head.startsWith('{"type":"snapshot"')) {
            first = false;
            ready();
          }
          count(head, bytes, whole);
        },
        closed() {
          if (first) {
            onAgain();
            setTimeout(() => void openReader(index, onAgain).then(ready), 100);
          } else tally.lost += 1;
        },
      },
    );
  });
}

async function open(total: number, sideBySide: number): Promise<Opened> {
  const began = performance.now();
  let again = 0;
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < total) await openReader(next++, () => again++);
  };
  await Promise.all(Array.from({ length: Math.min(sideBySide, total) }, one));
  return { ms: performance.now() - began, again };
}

function percentile(share: number): number {
  const total = delays.reduce((sum, n) => sum + n, 0);
  let left = Math.ceil(share * total);
  return delays.findIndex((n) => {
    left -= n;
    return left <= 0;
  });
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'open':
      ({ port, events: withEvents } = order);
      return open(order.count, SIDE_BY_SIDE);
    case 'open deaf':
      deaf = Array.from(
        { length: order.count },
        () =>
          new FanoutClient(
            { port: order.port, topics: ['snapshot', 'events'], deaf: true },
            { message: () => undefined, closed: () => undefined },
          ),
      );
      return null;
    case 'measure': {
      delays = new Uint32Array(MOST_DELAY_MS + 1);
      tally = { messages: 0, bytes: 0, lost: 0 };
      record = order.record ? [] : null;
      await new Promise((resolve) => setTimeout(resolve, order.ms));
      const kept = record ?? [];
      record = null;
      return { ...tally, p50: percentile(0.5), p99: percentile(0.99), record: kept } satisfies Measured;
    }
    case 'reconnect': {
      const total = readers.length;
      for (const reader of readers) reader.drop();
      return open(total, total);
    }
    case 'close':
      for (const one of [...readers, ...deaf]) one.drop();
      readers.length = 0;
      deaf = [];
      return null;
  }
}

process.on('message', (order: Order) => {
  void obey(order).then((answer) => process.send?.({ answer }));
});
process.on('disconnect', () => process.exit());
