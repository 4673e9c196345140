/** A notice on its way to one receiver, and how it can end. */
import { createHash } from 'node:crypto';
import type { Transition } from '../../streams/alert.js';

/** How a notice ended; `pending` while it has not. */
export const OUTCOMES = [
  'pending',
  'delivered',
  /** The receiver said 410, now or before. */
  'gone',
  /** A day of attempts. */
  'given_up',
  /** Held back by a silence until the alert was over. */
  'silenced',
  /** Held back by the rate limit that replicas share, until the alert was over. */
  'rate_limited',
  /** A reminder, when a later notice came before it could be sent. */
  'superseded',
  /** The bound of the outbox was reached. */
  'dropped',
  /** Its receiver is not configured any more. */
  'no_receiver',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type NoticeKind = Transition['kind'];

export interface Notice {
  /** The webhook-id. */
  readonly id: string;
  readonly transitionId: string;
  readonly alertId: string;
  readonly rule: string;
  readonly kind: NoticeKind;
  readonly receiver: string;
  readonly body: string;
  /** When it was decided on, ms of the database's clock. */
  readonly decidedAt: number;
  /** Since when it could be sent; a day later it is given up. */
  dueFrom: number;
  attempts: number;
  nextAt: number;
  outcome: Outcome;
  /** Of the last attempt, or why it waits. */
  reason: string | null;
  doneAt: number | null;
  /** Why it was not attempted yet although nothing is wrong with the receiver. */
  held: 'silenced' | 'rate_limited' | null;
}

/**
 * The webhook-id of a transition for one receiver. Made of nothing else, so that deciding again after a crash, and every
 * retry, has the same one; without a dot, which Standard Webhooks puts between the parts that are signed.
 * @param scope of two monitors that tell the same receiver, the one that speaks
 */
export function noticeId(
  scope: string,
  transition: Pick<Transition, 'id' | 'rule' | 'kind'>,
  receiver: string,
): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([scope, transition.id, receiver]))
    .digest('hex');
  return `${transition.rule}_${transition.kind}_${hash.slice(0, 24)}`;
}
