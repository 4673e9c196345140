/**
 * Frames, built once and written to every client that may have the same one.
 * A snapshot of four windows by type is tens of kilobytes: stringifying it per client would cost more than the fold.
 */
import type { CelerySummary } from '../../streams/celery-summary.js';
import type { FeedEvent } from '../../streams/event.js';
import type { Snapshot } from '../../streams/snapshot.js';
import type { EventFilter } from './subscription.js';
import { textFrame } from './wire.js';

/** Events in one frame; a bulk import arrives as one batch of many thousands. */
export const EVENTS_PER_FRAME = 500;

/** The newest snapshot as a frame, and whether it says anything new. */
export class SnapshotFrame {
  /** 0 until there is a frame; grows by one whenever the content changed. */
  seq = 0;
  #source: Snapshot | null = null;
  #body = '';
  #coarse = '';
  #bytes: Buffer | null = null;

  /**
   * Takes the snapshot over; `seq` tells afterwards whether it differs from the one before.
   * @param celery asked only where the snapshot is a new one
   */
  update(snapshot: Snapshot, celery?: () => CelerySummary | undefined): void {
    if (snapshot === this.#source) return;
    this.#source = snapshot;
    this.#bytes = null;
    const { at: _at, lag_ms: lag, clock_skew_ms: skew, ...content } = snapshot;
    const body = JSON.stringify({ ...content, celery: celery?.() }).slice(1);
    // The time, and lag and skew by less than a second, change with every tick and say nothing new.
    const coarse = `${coarsely(lag)} ${coarsely(skew)}`;
    if (body === this.#body && coarse === this.#coarse) return;
    this.#body = body;
    this.#coarse = coarse;
    this.seq += 1;
  }

  /** The frame; null before the first snapshot. */
  bytes(): Buffer | null {
    const source = this.#source;
    if (source === null) return null;
    const head = JSON.stringify({
      type: 'snapshot',
      seq: this.seq,
      at: source.at,
      lag_ms: source.lag_ms,
      clock_skew_ms: source.clock_skew_ms,
    });
    this.#bytes ??= textFrame(`${head.slice(0, -1)},${this.#body}`);
    return this.#bytes;
  }
}

function coarsely(ms: number | null): string {
  return ms === null ? '-' : String(Math.round(ms / 1000));
}

/** An `events` message as a frame. */
export function eventsFrame(epoch: string, eventsJson: readonly string[], dropped: number): Buffer {
  const head = `{"type":"events","epoch":${JSON.stringify(epoch)},"events":[`;
  return textFrame(`${head}${eventsJson.join(',')}],"dropped":${dropped}}`);
}

/** Part of a flush that one kind of client gets, at most EVENTS_PER_FRAME events. */
export class EventChunk {
  readonly events: readonly FeedEvent[];
  readonly #json: readonly string[];
  readonly #epoch: string;
  #whole: Buffer | null = null;

  constructor(epoch: string, events: readonly FeedEvent[], json: readonly string[]) {
    this.#epoch = epoch;
    this.events = events;
    this.#json = json;
  }

  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  /** Events the client has not had yet, for one that stands inside the chunk. */
  countAfter(seq: number): number {
    let count = this.events.length;
    while (count > 0 && (this.events[this.events.length - count]?.seq ?? 0) <= seq) count -= 1;
    return count;
  }

  /** The frame of the last `count` events; shared by all clients that take the whole of it and lost nothing. */
  frame(count: number, dropped: number): Buffer {
    if (count < this.events.length) return eventsFrame(this.#epoch, this.#json.slice(-count), dropped);
    if (dropped > 0) return eventsFrame(this.#epoch, this.#json, dropped);
    this.#whole ??= eventsFrame(this.#epoch, this.#json, 0);
    return this.#whole;
  }
}

/** The events of one flush, cut to each filter's chunks on demand; each event becomes text at most once. */
export class EventFlush {
  readonly #epoch: string;
  readonly #events: readonly FeedEvent[];
  readonly #json: string[] = [];
  readonly #chunks = new Map<string, readonly EventChunk[]>();

  constructor(epoch: string, events: readonly FeedEvent[]) {
    this.#epoch = epoch;
    this.#events = events;
  }

  chunksFor(filter: EventFilter | undefined): readonly EventChunk[] {
    const key = filter?.key ?? '';
    let chunks = this.#chunks.get(key);
    if (chunks === undefined) {
      chunks = this.#cut(filter);
      this.#chunks.set(key, chunks);
    }
    return chunks;
  }

  #cut(filter: EventFilter | undefined): readonly EventChunk[] {
    const chunks: EventChunk[] = [];
    let events: FeedEvent[] = [];
    let json: string[] = [];
    const close = (): void => {
      if (events.length > 0) chunks.push(new EventChunk(this.#epoch, events, json));
      events = [];
      json = [];
    };
    for (const [index, event] of this.#events.entries()) {
      if (filter !== undefined && !filter.matches(event)) continue;
      this.#json[index] ??= JSON.stringify(event);
      events.push(event);
      json.push(this.#json[index]);
      if (events.length === EVENTS_PER_FRAME) close();
    }
    close();
    return chunks;
  }
}
