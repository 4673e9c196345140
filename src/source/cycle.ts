import type { CursorState } from '../../streams/checkpoint.js';
import type { Bells } from './bells.js';
import { ConnectionLostError } from './connection.js';
import type { Continuity } from './continuity.js';
import type { SourceHistory } from './history-port.js';
import type { Keeper } from './keeper.js';
import type { Listener } from './listener.js';
import type { Reader } from './reader.js';
import { ResetNeededError } from './reading.js';
import type { Described } from './state.js';

export interface CycleParts {
  readonly reader: Reader;
  readonly keeper: Keeper;
  readonly listener: Listener;
  readonly bells: Bells;
  readonly continuity: Continuity;
  readonly seen: Described;
  readonly history: SourceHistory | undefined;
  /** How often to look for rows while the bell is not armed. ms. */
  readonly cadenceMs: number;
}

/** Rows are looked for this often whatever happens: the bell is a hint. ms. */
const POLL_MS = 1_000;
/** The cadence when nothing came for a second and the bell cannot be armed. ms. */
const IDLE_CADENCE_MS = 50;
/** Pending rows are re-read this often while the bell is not armed. ms. */
const PENDING_MS = 100;
/** A slice of pending rows is waited for no longer. ms */
const LONGEST_RATION_MS = 5_000;
/** A finished backfill's last rows wait for a flush to end: the next round comes after this. ms. */
const UNWRITTEN_MS = 20;
/** A rebuild follows pending rows beyond the bound; not more often than this. ms. */
const SWEEP_MS = 60_000;

/** One round of reading: what is new, what was open, what was pending, what is beyond the sequence; then the bell. */
export class Cycle {
  readonly #parts: CycleParts;
  #sweepAt = Number.POSITIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #bellsAtLook = 0;
  #pendingAt = Number.NEGATIVE_INFINITY;
  /** ms to leave between two slices of pending rows. */
  #pendingRation = 0;
  /** A bell rang that no round of pending rows has followed; and: the present round follows one. */
  #rung = false;
  #rungRound = false;
  #aheadAt = Number.NEGATIVE_INFINITY;
  #rowsAt = Number.NEGATIVE_INFINITY;

  constructor(parts: CycleParts) {
    this.#parts = parts;
  }

  /** The windows were filled anew, which took so long: everything is due again. */
  restarted(tookMs: number): void {
    // A twentieth of the time at most.
    this.#sweepAt = performance.now() + Math.max(SWEEP_MS, 20 * tookMs);
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    this.#aheadAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Reads once what there is, and a page of what is not new. `woken`: a bell rang since the last round.
   * @returns ms to wait before the next round, less when a bell rings.
   */
  async run(woken: boolean): Promise<number> {
    const { reader, bells, keeper, seen, history } = this.#parts;
    const begin = performance.now();
    // With history their ids are in the checkpoint: filling the windows anew reads them all again.
    if (reader.pending.untracked > 0 && begin > this.#sweepAt)
      throw new ResetNeededError(`${reader.pending.untracked} pending rows beyond the bound are swept`);
    const heard = bells.heard;
    // Armed for a while: whoever wrote what this poll finds has met the key, and ought to have rung.
    const announced = woken || !keeper.armed || begin - seen.armedAt < 500;
    const { rows, more } = await reader.poll();
    seen.polls++;
    const now = performance.now();
    if (rows > 0) this.#rowsAt = now;
    bells.read(rows, !announced && heard === bells.heard, now);
    await this.#look(now);
    await this.#pending(woken);
    const moreAhead = await this.#ahead();
    const backfilling = reader.backfill !== undefined;
    const readOnIn = await reader.readOn(more);
    this.#parts.continuity.mark();
    const ended = backfilling && reader.backfill === undefined;
    const unwritten = history?.atRest(() => this.#capture(), ended) ?? false;
    const armed = await this.#decide(more);
    seen.behind = more;
    if (!more) seen.upToDateAt = performance.now();
    // Just armed: every silent writer has ended, so read once more, then sleep.
    if (more || moreAhead || armed) return 0;
    return Math.min(readOnIn, unwritten ? UNWRITTEN_MS : POLL_MS, this.#pause(begin));
  }

  /** @throws ResetNeededError when the server may have restarted since: some of it may not have survived */
  #capture(): CursorState {
    if (!this.#parts.continuity.unbroken) throw new ResetNeededError('no connection outlived the gap');
    return this.#parts.reader.state();
  }

  async #look(now: number): Promise<void> {
    const { reader, bells, keeper } = this.#parts;
    const since = now - this.#lookedAt;
    // A slow flush hides a storm of bells from their rate; some bells since the last look are reason for one.
    const ringing = bells.heard - this.#bellsAtLook >= 3 && since >= 50;
    if (!(reader.lookWanted || ringing || since >= POLL_MS) || reader.lookDueIn > 0) return;
    this.#bellsAtLook = bells.heard;
    const look = await reader.look();
    this.#lookedAt = performance.now();
    bells.saw(look, this.#lookedAt);
    // Believe pg_locks, not our memory: a key that we do not hold rings no bell.
    if (keeper.armed && look.keyHolder !== keeper.link.pid) keeper.notHolding();
  }

  /** A bell may stand for any of the pending rows: then all of them are read again, without a second between slices. */
  async #pending(woken: boolean): Promise<void> {
    const { reader, keeper } = this.#parts;
    const { pending } = reader;
    if (woken) this.#rung = true;
    if (pending.tracked === 0) this.#rung = false;
    const since = performance.now() - this.#pendingAt;
    const due = this.#rung || this.#rungRound || since >= (keeper.armed ? POLL_MS : PENDING_MS);
    if (pending.tracked === 0 || !due || since < this.#pendingRation) return;
    if (pending.roundDone) {
      // What rings while this round runs may stand for a row that it has passed: another one follows then.
      this.#rungRound = this.#rung;
      this.#rung = false;
    }
    const before = performance.now();
    await reader.rereadPending();
    this.#pendingAt = performance.now();
    // At most a tenth of the time, however many there are; but what took longest may have been a stall of this process.
    this.#pendingRation = Math.min(10 * (this.#pendingAt - before), LONGEST_RATION_MS);
    if (pending.roundDone) this.#rungRound = false;
  }

  async #ahead(): Promise<boolean> {
    if (performance.now() - this.#aheadAt < POLL_MS) return false;
    const { more } = await this.#parts.reader.readAhead();
    if (!more) this.#aheadAt = performance.now();
    return more;
  }

  /** Arms or disarms the bell. @returns whether it was armed just now. */
  async #decide(backlog: boolean): Promise<boolean> {
    const { bells, keeper, listener, seen } = this.#parts;
    if (!keeper.leader) {
      await keeper.connect();
      if (!(await keeper.lead())) throw new ConnectionLostError('keeper', 'another monitor leads now');
    }
    const decision = bells.decide({
      now: performance.now(),
      armed: keeper.armed,
      leading: keeper.leader,
      listenerProven: listener.proven,
      backlog,
    });
    seen.bellReason = decision.reason;
    if (decision.action === 'disarm') await keeper.disarm();
    if (decision.action !== 'arm') return false;
    bells.tried(performance.now());
    if (await keeper.arm()) {
      seen.armedAt = performance.now();
      return true;
    }
    seen.bellReason = 'a writer holds the key';
    return false;
  }

  #pause(begin: number): number {
    const { reader, bells, keeper, listener, cadenceMs } = this.#parts;
    const now = performance.now();
    const heard =
      keeper.armed || (bells.setting === 'always' && bells.deadBecause(now, listener.proven) === undefined);
    if (heard && !bells.storm(now)) {
      // A bell may have rung for a hole or a pending row that the ration did not let us read yet.
      const hole = reader.lookWanted ? Math.min(reader.lookDueIn, IDLE_CADENCE_MS) : POLL_MS;
      const change = this.#rung || this.#rungRound ? this.#pendingAt + this.#pendingRation - now : POLL_MS;
      return Math.max(1, Math.min(hole, change));
    }
    if (now - this.#rowsAt >= 1_000) return Math.max(cadenceMs, IDLE_CADENCE_MS);
    // From poll to poll; but a round that took long, among busy writers, leaves them as much again.
    return Math.max(cadenceMs / 4, cadenceMs - (now - begin));
  }
}
