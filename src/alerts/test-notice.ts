/** The notice of `alert-test`: marked as a test, sent at once, never kept. */
import type { Transition } from '../../streams/alert.js';
import type { AddressPolicy } from './address.js';
import { evidenceOf } from './evidence.js';
import { bodyOf, faultFinder } from './formats.js';
import { messageOf, TEST_RULE } from './message.js';
import { noticeId } from './notice.js';
import type { Receiver } from './receivers.js';
import { type Attempt, attempt, type Limits, STANDARD_LIMITS } from './webhook.js';

/**
 * Sends one test notice and says what the receiver answered. Never throws.
 * @param now ms of the Unix epoch
 */
export function sendTest(
  receiver: Receiver,
  options: { readonly policy: AddressPolicy; readonly publicUrl: string | null; readonly limits?: Limits },
  now: number,
): Promise<Attempt> {
  const transition: Transition = {
    ...{ id: `${TEST_RULE}:${now}:firing`, rule: TEST_RULE, severity: 'warning', kind: 'firing', at: now },
    // Over already: a receiver that keeps alerts (Alertmanager) does not keep this one.
    ...{
      startsAt: now - 1_000,
      endsAt: now,
      value: null,
      peak: null,
      threshold: 0,
      reason: 'over',
      detail: null,
    },
  };
  const evidence = evidenceOf(transition, undefined, { evidence: null, compared: null }, options);
  const message = messageOf(transition, undefined, evidence, { locale: receiver.locale, templates: {} });
  const body = bodyOf(message, receiver.choice);
  const id = noticeId('test', transition, receiver.name);
  return attempt(
    {
      url: receiver.url,
      body,
      headers: { ...receiver.headers, ...receiver.sign(id, new Date(), body) },
      policy: options.policy,
      faultIn: faultFinder(receiver.choice.format),
      now,
    },
    options.limits ?? STANDARD_LIMITS,
  );
}
